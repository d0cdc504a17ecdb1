"""Classify the validation images in PyTorch from the saved files alone, with the heads of all seeds."""

from versus.artifacts import model_info as card
from versus.frameworks.torch import classifier as classifier_torch
from versus.images import dataset
from versus.artifacts import features
from versus.frameworks.torch import features as features_torch
from versus import params
from versus.artifacts import predictions
from versus.frameworks.torch import runtime as runtime_torch
from versus.frameworks import training
from versus.command import run
from versus.frameworks.torch.head import Head


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
