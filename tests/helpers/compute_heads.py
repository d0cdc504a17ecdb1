"""Train heads for 660 steps on the features of a folder in one framework, for `test_heads.py` to compare.

    python tests/heads_compute.py keras|torch float32|float64 keras|torch FEATURES SEEDS OUT [--reverse]
"""

import argparse
import importlib
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np

from versus.recipe import conventions
from versus.artifacts import features
from versus import params
from versus.frameworks import training
from versus.recipe.conventions import TABLE


def main():
    parser = argparse.ArgumentParser()
    for name in ("framework", "precision", "conventions", "features", "seeds", "out"):
        parser.add_argument(name)
    parser.add_argument("--reverse", action="store_true")
    asked = parser.parse_args()
    runtime, head = (importlib.import_module(f"versus.frameworks.{asked.framework}.{name}") for name in ("runtime", "head"))
    chosen = params.load()
    train = chosen.train.model_copy(update={"seeds": int(asked.seeds), "epochs": 30, "batch": 32})
    chosen = chosen.model_copy(update={"train": train})
    runtime.start(chosen.compute, asked.precision)
    kept = features.read(asked.features)
    kept = replace(kept, train=kept.train.astype(asked.precision), validation=kept.validation.astype(asked.precision))
    labels = np.load(Path(asked.features) / "labels.npy")
    section = params.Conventions(**dict.fromkeys(TABLE, "all") | {"all": asked.conventions, "batch_norm": "keras"})
    followed = conventions.resolve(section, asked.framework)
    trainer = head.Trainer([kept.train.shape[2], 128, int(labels.max()) + 1], train.learning_rate, followed.adam)
    trained = training.fit_seeds(trainer, chosen, followed, kept, labels, None, reverse=asked.reverse)
    Path(asked.out).write_bytes(pickle.dumps(trained))


if __name__ == "__main__":
    main()
