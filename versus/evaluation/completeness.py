"""Does the table of conventions hold every difference? Then its corners give the predictions of the native runs.

A corner has all the defaults of one competitor, and is computed by the framework that stands for both. No sampling is
involved: image by image and seed by seed a corner must equal the native run, but for rounding.
"""

from dataclasses import dataclass

import numpy as np

from versus.artifacts.features import Features
from versus.artifacts.predictions import Predictions
from versus.evaluation.findings import Completeness
from versus.evaluation.parity import relative, statistics

STAGES = ("pixels", "features", "heads")  # in the order in which they are computed
FEATURES = 1e-4  # relative, of features; the worst seen of a complete table is 3e-5, of float16 3e-4
STATISTICS = 1e-3  # relative, of running statistics; the worst seen is 2e-4
PROBABILITY = 1e-3  # the most that a probability may differ in the median seed
CLASSES = 1e-3  # share of the predicted classes that may differ, but always one


@dataclass(frozen=True)
class Corner:
    """What is computed twice: by the framework that stands for both, and by the competitor's own."""

    features: tuple[Features, Features]
    same_pixels: bool
    predictions: tuple[Predictions, Predictions]


def judge(corners: tuple[Corner, Corner]) -> Completeness:
    """Compare both corners with the native runs of their competitors."""
    stages = [_differing_stage(corner) for corner in corners]
    differing = [number for number, stage in enumerate(stages) if stage]
    first = min(differing, key=lambda number: STAGES.index(stages[number]), default=0)
    classes = sum(_classes(*corner.predictions) for corner in corners)
    return Completeness(stages[first], first, classes, sum(corner.predictions[0].predicted.size for corner in corners))


def _differing_stage(corner: Corner) -> str:
    """Name the first stage at which a corner differs by more than rounding; "" if none does."""
    if not corner.same_pixels:
        return "pixels"
    computed, native = corner.features
    if _features(computed, native) > FEATURES or statistics(computed.statistics, native.statistics) > STATISTICS:
        return "features"
    one, other = corner.predictions
    probability = np.median([np.abs(a - b).max() for a, b in zip(one.probabilities, other.probabilities)])
    allowed = max(1, CLASSES * one.predicted.size)
    return "heads" if probability > PROBABILITY or _classes(one, other) > allowed else ""


def _features(one: Features, other: Features) -> float:
    """Return the largest relative difference of the features of any image; of unequal shapes it is 1."""
    plain = [relative(one.plain[part], other.plain[part]) if one.plain[part].shape == other.plain[part].shape else 1.0
             for part in one.plain]
    return float(np.max([relative(one.augmented, other.augmented), *plain]))


def _classes(one: Predictions, other: Predictions) -> int:
    return int((one.predicted != other.predicted).sum())
