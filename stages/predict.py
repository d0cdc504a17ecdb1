"""Classify the images of `compare.part`, from the saved files alone, with all seeds: python -m stages.predict keras.

The validation images are classified as well, to check that the classifiers are those that were trained.
"""

import sys

from tqdm import tqdm

from versus import params
from versus.artifacts import heads, model_info, predictions_csv
from versus.artifacts.predictions import Predictions
from versus.command import run
from versus.frameworks import cluster, competitor, modules
from versus.frameworks.prediction import check_classifier, check_same, predict_seeds
from versus.images import dataset, units
from versus.recipe import draws
from versus.recipe.conventions import PixelConventions
from versus.recipe.pixels import ImageBatches


def main(name):
    settings, title = params.load(), competitor(name).title
    runtime, own, head, classifiers = modules(name, "runtime", "features", "head", "classifier")
    info = model_info.read(f"models/{name}")
    runtime.start(settings.compute, info.precision)
    classifiers, own = cluster.spread(settings.compute, info.precision, name, classifiers, own)
    part = dataset.compared_part("data/split", settings.compare.part)
    classifier, backbone = classifiers.load(f"models/{name}")
    heads_of_seeds = heads.read(f"models/{name}/heads.safetensors")
    recorded = heads.read_record(f"data/training/{name}")["probabilities"]
    for each in dict.fromkeys(("validation", part)):  # last the part whose predictions are written
        images = dataset.read("data/split", each)
        batches = ImageBatches(images.files, draws.in_order(len(images.files), settings.extract.batch),
                               info.image_size, PixelConventions(info.decode, info.resize),
                               threads=settings.compute.threads)
        with tqdm(total=len(images.files), desc=f"{each} images in {title}", unit="image", disable=None) as bar:
            features = own.apply(backbone, batches, False, bar)
        probabilities = predict_seeds(head.Head(heads.widths(heads_of_seeds[0])), heads_of_seeds, features)
        predictions = Predictions(tuple(range(len(heads_of_seeds))), tuple(images.names), tuple(images.classes),
                                  images.labels, probabilities, units.read("data/split.csv", each, images.names), each)
        if each == "validation":
            check_classifier(own, classifier, batches, predictions.deployed(info.deploy).probabilities[0])
            check_same(probabilities, recorded, "those of training")
    predictions_csv.write(predictions, f"data/predictions/{name}.csv")


if __name__ == "__main__":
    run(main, *sys.argv[1:])
