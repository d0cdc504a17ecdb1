"""Run both Keras recipes for one epoch, in one process.

    python -m tests.helpers.run_keras_recipes FOLDER BACKBONE OUTPUT

FOLDER has the images, BACKBONE is what `benchmark.recipes.export_backbone` wrote. Writes to the folder OUTPUT what each
printed, and how the batch normalisation of 2018 behaves, as JSON.
"""

import contextlib
import io
import json
import sys
from argparse import Namespace
from pathlib import Path

import versus.frameworks.keras.runtime  # noqa: F401  before keras
import numpy as np

from benchmark.recipes import keras_recipe, keras_today_recipe


def printed(recipe, **options):
    """What a recipe prints last."""
    with contextlib.redirect_stdout(io.StringIO()) as output:
        recipe.main(Namespace(seed=1, epochs=1, **options))
    return json.loads(output.getvalue().splitlines()[-1])


def batch_norm_2018():
    """How far a frozen layer's output is from each kind of statistics, and its stored ones from where they were."""
    layer = keras_recipe.BatchNormalization2018(epsilon=1e-3)
    layer.build((None, 4, 4, 2))
    layer.moving_mean.assign([1.0, 2.0])
    layer.trainable = False
    x = np.random.default_rng(0).normal(5, 3, (6, 4, 4, 2)).astype("float32")
    by_batch = (x - x.mean(axis=(0, 1, 2))) / np.sqrt(x.var(axis=(0, 1, 2)) + 1e-3)
    by_stored = (x - [1.0, 2.0]) / np.sqrt(1 + 1e-3)
    return {"training": float(abs(np.array(layer(x, training=True)) - by_batch).max()),
            "inference": float(abs(np.array(layer(x, training=False)) - by_stored).max()),
            "moved": float(abs(np.array(layer.moving_mean) - [1.0, 2.0]).max())}


def main(folder, backbone, output):
    results = {"keras": printed(keras_recipe, folder=folder, backbone=backbone, batch_norm="today"),
               "keras_2018": printed(keras_recipe, folder=folder, backbone=backbone, batch_norm="2018"),
               "keras_today": printed(keras_today_recipe, folder=folder, backbone=backbone),
               "batch_norm_2018": batch_norm_2018()}
    for name, result in results.items():
        Path(output, f"{name}.json").write_text(json.dumps(result), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
