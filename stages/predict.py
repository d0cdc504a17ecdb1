"""Classify the validation images, from the saved files alone, with all seeds: python -m stages.predict keras."""

import sys

from tqdm import tqdm

from versus import params
from versus.artifacts import heads, model_info, predictions_csv
from versus.artifacts.predictions import Predictions
from versus.command import run
from versus.frameworks import competitor, modules
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
    validation = dataset.read("data/split", "validation")
    batches = draws.in_order(len(validation.files), settings.extract.batch)
    images = ImageBatches(validation.files, batches, info.image_size, PixelConventions(info.decode, info.resize))

    classifier, backbone = classifiers.load(f"models/{name}")
    heads_of_seeds = heads.read(f"models/{name}/heads.safetensors")
    with tqdm(total=len(images.files), desc=f"predictions in {title}", unit="image", disable=None) as bar:
        features = own.apply(backbone, images, False, bar)
        probabilities = predict_seeds(head.Head(heads.widths(heads_of_seeds[0])), heads_of_seeds, features)
    check_classifier(own, classifier, images, probabilities[0])
    check_same(probabilities, heads.read_record(f"data/training/{name}.safetensors")["probabilities"],
               "those of training")
    predictions = Predictions(tuple(range(len(heads_of_seeds))), tuple(validation.names), tuple(validation.classes),
                              validation.labels, probabilities,
                              units.read("data/split.csv", "validation", validation.names))
    predictions_csv.write(predictions, f"data/predictions/{name}.csv")


if __name__ == "__main__":
    run(main, *sys.argv[1:])
