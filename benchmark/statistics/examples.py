"""Simulated predictions with the published figures: python -m benchmark.statistics.examples FOLDER.

Writes FOLDER/NAME/{Keras,PyTorch}.csv of ten seeds each, for `python -m versus compare`: Alien vs. Predator, ants and
bees (153 images), images in groups of five, and classes of 95:5 of which both name the larger one.
"""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.special import expit

from tests.helpers.predictions import predictions_of_two_classes
from versus.artifacts import predictions_csv

# images, units, mean log odds of the true class of the one and the other, spread of the images, of them by competitor
CASES = {"alien-vs-predator": (200, 200, 4.4, 3.3, 2.5, 1.0), "ants-and-bees": (153, 153, 4.4, 4.2, 2.5, 0.8),
         "grouped": (200, 40, 3.0, 2.5, 2.0, 1.5)}


def draw(case, seed=0):
    """Draw the predictions of two competitors."""
    number, independent, *skills, spread, own = CASES[case]
    rng, units, labels = np.random.default_rng(seed), np.arange(number) * independent // number, np.arange(number) % 2
    names = {"alien-vs-predator": ("alien", "predator"), "ants-and-bees": ("ants", "bees")}.get(case, ("a", "b"))
    common = spread * rng.normal(size=independent)[units]
    for skill in skills:
        logits = (skill + common + own * rng.normal(size=independent)[units] + 0.3 * rng.normal(size=(10, 1))
                  + 0.6 * rng.normal(size=(10, number)))
        yield replace(predictions_of_two_classes(expit(logits), labels), class_names=names,
                      files=tuple(f"{names[label]}/{k:03}.jpg" for k, label in enumerate(labels)), units=units)


def unequal():
    """Two that name the larger class of 190 and 10 images."""
    rng, labels = np.random.default_rng(0), np.repeat([0, 1], [190, 10])
    for spread in (0.2, 0.3):
        first = expit(2 + spread * rng.normal(size=(10, 200)))
        yield predictions_of_two_classes(np.where(labels == 0, first, 1 - first), labels)


def main(folder):
    for name, pair in [*((name, draw(name)) for name in CASES), ("95-to-5", unequal())]:
        for title, predictions in zip(("Keras", "PyTorch"), pair):
            predictions_csv.write(predictions, Path(folder, name, f"{title}.csv"))


if __name__ == "__main__":
    main(*sys.argv[1:])
