"""Train heads for 660 steps on the features of a folder with one competitor, for `test_heads.py` to compare.

    python -m tests.helpers.compute_heads torch float32 keras FEATURES SEEDS OUT [--reverse]
"""

import argparse
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np

from versus import params
from versus.artifacts import features
from versus.frameworks import competitor, modules
from versus.frameworks.training import fit_seeds
from versus.recipe.conventions import resolve


def main():
    parser = argparse.ArgumentParser()
    for name in ("competitor", "precision", "conventions", "features", "seeds", "out"):
        parser.add_argument(name)
    parser.add_argument("--reverse", action="store_true")
    asked = parser.parse_args()
    runtime, head = modules(asked.competitor, "runtime", "head")
    settings = params.load()
    train = settings.train.model_copy(update={"seeds": int(asked.seeds), "epochs": 30, "batch": 32})
    settings = settings.model_copy(update={"train": train})
    runtime.start(settings.compute, asked.precision)
    extracted = features.read(Path(asked.features) / "features")
    extracted = replace(extracted, augmented=extracted.augmented.astype(asked.precision),
                        plain={part: values.astype(asked.precision) for part, values in extracted.plain.items()})
    labels = np.load(Path(asked.features) / "labels/labels.npy")
    conventions = resolve(params.Conventions.of(asked.conventions, batch_norm="keras"),
                          competitor(asked.competitor).framework)
    trainer = head.Trainer([extracted.augmented.shape[2], 128, int(labels.max()) + 1], train.learning_rate,
                           conventions.adam)
    trained = fit_seeds(trainer, settings, conventions, extracted, labels, None, reverse=asked.reverse)
    Path(asked.out).write_bytes(pickle.dumps(list(trained)))


if __name__ == "__main__":
    main()
