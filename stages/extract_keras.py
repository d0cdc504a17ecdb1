"""Make the features of all views of the images with the frozen backbone in Keras."""

from versus.frameworks.keras import backbone as backbone_keras
from versus.recipe import conventions
from versus.images import dataset
from versus.artifacts import features
from versus.frameworks.keras import features as features_keras
from versus import params
from versus.frameworks.keras import runtime as runtime_keras
from versus.recipe import weights
from versus.command import run


def main():
    chosen = params.load()
    runtime_keras.start(chosen.compute, chosen.train.precision)
    followed = conventions.resolve(chosen.conventions, "keras", features.CONVENTIONS)
    backbone = backbone_keras.build(chosen.model, weights.read("models/backbone.safetensors"), followed.batch_norm)
    train, validation = (dataset.read("data/split", part).files for part in dataset.PARTS)
    found = features_keras.extract_files(backbone, train, validation, chosen, followed, "features in Keras")
    features.save(found, "data/features/keras")


if __name__ == "__main__":
    run(main)
