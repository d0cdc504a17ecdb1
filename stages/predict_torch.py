"""Classify the validation images in PyTorch from the saved files alone, with the heads of all seeds."""

from versus import (card, classifier_torch, dataset, features, features_torch, params, predictions, runtime_torch,
                    training)
from versus.command import run
from versus.head_torch import Head


def main():
    chosen = params.load()
    about = card.read("models/torch")
    runtime_torch.start(chosen.compute, about.precision)
    validation = dataset.read("data/split", "validation")
    batches = features.in_order(len(validation.files), chosen.extract.batch)
    images = features_torch.Images(validation.files, batches, None, about.image_size, about)
    first = features_torch.Images(validation.files[:len(batches[0])], batches[:1], None, about.image_size, about)

    classifier, backbone = classifier_torch.load("models/torch")
    weights = training.read_heads("models/torch/heads.safetensors")
    found = training.predict_seeds(Head(training.widths(weights)), weights,
                                   features_torch.infer(backbone, images, "predictions in PyTorch"))
    predictions.check(found[0, :len(batches[0])], features_torch.infer(classifier, first, "whole classifier"),
                      "the whole classifier")
    predictions.check(found, predictions.recorded("data/training/torch.safetensors"), "those of training")
    predictions.write(found, validation, "data/predictions/torch.csv")


if __name__ == "__main__":
    run(main)
