"""Make the features of all views of the images with the frozen backbone in PyTorch."""

from versus.frameworks.torch import backbone as backbone_torch
from versus.recipe import conventions
from versus.images import dataset
from versus.artifacts import features
from versus.frameworks.torch import features as features_torch
from versus import params
from versus.frameworks.torch import runtime as runtime_torch
from versus.recipe import weights
from versus.command import run


def main():
    chosen = params.load()
    runtime_torch.start(chosen.compute, chosen.train.precision)
    followed = conventions.resolve(chosen.conventions, "torch", features.CONVENTIONS)
    backbone = backbone_torch.build(chosen.model, weights.read("models/backbone.safetensors"), followed.batch_norm)
    train, validation = (dataset.read("data/split", part).files for part in dataset.PARTS)
    found = features_torch.extract_files(backbone, train, validation, chosen, followed, "features in PyTorch")
    features.save(found, "data/features/torch")


if __name__ == "__main__":
    run(main)
