"""Classify the validation images in Keras from the saved files alone, with the heads of all seeds."""

from versus.artifacts import model_info as card
from versus.frameworks.keras import classifier as classifier_keras
from versus.images import dataset
from versus.artifacts import features
from versus.frameworks.keras import features as features_keras
from versus import params
from versus.artifacts import predictions
from versus.frameworks.keras import runtime as runtime_keras
from versus.frameworks import training
from versus.command import run
from versus.frameworks.keras.head import Head


def main():
    chosen = params.load()
    about = card.read("models/keras")
    runtime_keras.start(chosen.compute, about.precision)
    validation = dataset.read("data/split", "validation")
    batches = features.in_order(len(validation.files), chosen.extract.batch)
    images = features_keras.Images(validation.files, batches, None, about.image_size, about)
    first = features_keras.Images(validation.files[:len(batches[0])], batches[:1], None, about.image_size, about)

    classifier, backbone = classifier_keras.load("models/keras")
    weights = training.read_heads("models/keras/heads.safetensors")
    found = training.predict_seeds(Head(training.widths(weights)), weights,
                                   features_keras.infer(backbone, images, "predictions in Keras"))
    predictions.check(found[0, :len(batches[0])], features_keras.infer(classifier, first, "whole classifier"),
                      "the whole classifier")
    predictions.check(found, predictions.recorded("data/training/keras.safetensors"), "those of training")
    predictions.write(found, validation, "data/predictions/keras.csv")


if __name__ == "__main__":
    run(main)
