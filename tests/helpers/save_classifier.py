"""Save a small classifier with a drawn head as stage `train` does, and what it says of some images.

    python -m tests.helpers.save_classifier torch MODELS IMAGE…    # a red background, deep images from 0 to 4080

PyTorch's comes first: it finds the weights of the backbone.
"""

import sys
from pathlib import Path

import numpy as np

from versus import params
from versus.artifacts import model_info
from versus.artifacts.model_info import ModelInfo
from versus.frameworks import competitor, modules
from versus.recipe import draws, weights
from versus.recipe.pixels import read_image
from versus.recipe.weights import Pretrained

CLASSES = ["cat", "dog", "owl"]


def main(name, models, *images):
    settings = params.load()
    model = settings.model.model_copy(update={"image_size": 64})
    conventions = competitor(name).resolve(settings.conventions)
    runtime, backbones, classifiers = modules(name, "runtime", "backbone", "classifier")
    pretrained, saved = modules(name, "pretrained", "saved")
    runtime.start(settings.compute, "float32")
    folder, path = Path(models, name), Path(models, "backbone.safetensors")
    folder.mkdir(parents=True)
    if name == "torch":
        shapes = backbones.shapes(backbones.network(model.backbone, model.image_size))
        weights.save_pretrained(Pretrained(pretrained.find_weights(model, shapes)), path)
    widths = [1280, 16, len(CLASSES)]
    head = [(kernel.astype(np.float32), bias.astype(np.float32))
            for kernel, bias in draws.initial_weights(0, widths, "fan_in")]
    head[1] = (head[1][0] * 5, head[1][1])  # so that the probabilities of images differ
    classifier = classifiers.assemble(model, weights.read_pretrained(path), {}, [head], widths)
    classifiers.save(classifier, folder)
    model_info.write(ModelInfo(CLASSES, model.backbone, model.image_size, "float32", "first", "red", (0.0, 4080.0),
                               conventions.decode, conventions.resize, "cpu"), folder)
    pixels = np.stack([read_image(image, model.image_size, conventions.pixels) for image in images])
    np.save(Path(models, f"{name}.npy"), saved.probabilities(classifier, pixels))


if __name__ == "__main__":
    main(*sys.argv[1:])
