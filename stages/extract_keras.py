"""Make the features of all views of the images with the frozen backbone in Keras."""

from versus import backbone_keras, conventions, dataset, draws, features, features_keras, params, runtime_keras, weights
from versus.command import run

NAMES = ("decode", "resize", "augment", "batch_norm")


def main():
    chosen = params.load()
    runtime_keras.start(chosen.compute, chosen.train.precision)
    followed = conventions.resolve(chosen.conventions, "keras", NAMES)
    backbone = backbone_keras.build(chosen.model, weights.read("models/backbone.safetensors"), followed.batch_norm)
    train, validation = (dataset.read("data/split", part).files for part in dataset.PARTS)
    views, batches = draws.views(chosen.extract, len(train)), draws.batches(chosen.extract, len(train))
    size = chosen.model.image_size
    found = features_keras.extract(
        backbone,
        [features_keras.Images(train, *of_view, size, followed) for of_view in zip(batches, views)],
        features_keras.Images(validation, features.in_order(len(validation), chosen.extract.batch), None, size, followed),
        followed.batch_norm, "features in Keras")
    features.save(found, "data/features/keras")


if __name__ == "__main__":
    run(main)
