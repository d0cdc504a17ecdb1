"""Classify the validation images from the saved files alone, with the heads of all seeds: keras|torch."""

import sys

from tqdm import tqdm

from versus import params
from versus.artifacts import heads, model_info, predictions_csv
from versus.artifacts.predictions import Predictions
from versus.command import run
from versus.frameworks import competitor, modules
from versus.frameworks.prediction import check_same, predict_seeds
from versus.images import dataset
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
    weights = heads.read(f"models/{name}/heads.safetensors")
    with tqdm(total=len(images.files), desc=f"predictions in {title}", unit="image", disable=None) as bar:
        features = own.apply(backbone, images, False, bar)
        probabilities = predict_seeds(head.Head(heads.widths(weights[0])), weights, features)
    check_whole_classifier(own, classifier, images, probabilities[0])
    check_same(probabilities, heads.read_record(f"data/training/{name}.safetensors")["probabilities"],
               "those of training")
    predictions_csv.write(Predictions(tuple(range(len(weights))), tuple(validation.names), tuple(validation.classes),
                                      validation.labels, probabilities), f"data/predictions/{name}.csv")


def check_whole_classifier(own, classifier, images, probabilities):
    """Compare the whole classifier on the first batch with `probabilities`, of backbone and head apart."""
    first = images.first_batch()
    with tqdm(disable=True) as bar:
        check_same(probabilities[:len(first.files)], own.apply(classifier, first, False, bar), "the whole classifier")


if __name__ == "__main__":
    run(main, *sys.argv[1:])
