"""Compute Lite0's features of the sample's photographs, as many as Alien vs. Predator has, for `test_heads.py`.

    python -m tests.helpers.compute_features FOLDER
"""

import sys
from pathlib import Path

import numpy as np

from versus import params
from versus.artifacts import features
from versus.frameworks import modules
from versus.frameworks.extraction import build, extract
from versus.images.sources.fetching import fetch
from versus.recipe.conventions import resolve
from versus.recipe.weights import Pretrained

TRAIN = 347  # of each class; the other 100 are validation images


def main(folder):
    folder, settings = Path(folder), params.load()
    runtime, backbone, pretrained, own = modules("torch", "runtime", "backbone", "pretrained", "features")
    runtime.start(settings.compute, "float32")
    data = settings.data.model_copy(update={"source": "sample", "per_class": TRAIN + 100})
    fetch(data, settings.split, folder / "raw")
    files = np.array([sorted(kind.iterdir()) for kind in sorted((folder / "raw").iterdir())])  # (classes, files)
    conventions = resolve(params.Conventions.of("keras"), "torch")
    model = settings.model.model_copy(update={"backbone": "efficientnet_lite0", "weights": "shared"})
    tensors = pretrained.find_weights(model, backbone.shapes(backbone.network(model.backbone, model.image_size)))
    backbones = build(backbone, settings.model_copy(update={"model": model}), Pretrained(tensors),
                      conventions.batch_norm)
    store = features.Folder(folder / "features")
    store.complete(extract(own, backbones, list(files[:, :TRAIN].flat), {"validation": list(files[:, TRAIN:].flat)},
                           settings, conventions, None, store))
    (folder / "labels").mkdir()
    np.save(folder / "labels/labels.npy", np.repeat(range(len(files)), TRAIN))


if __name__ == "__main__":
    main(*sys.argv[1:])
