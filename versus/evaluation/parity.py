"""How far two competitors are apart, step by step: pixels, features, losses, weights, probabilities, classes."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from versus.artifacts.features import Features, Statistics
from versus.artifacts.heads import Head, Trained

SMALLEST_LOSS = 1e-3  # smaller losses are measured as this: a log-softmax rounds at the precision of 1 and ends at 0


@dataclass(frozen=True)
class Run:
    """What one competitor computed: its `Features`, pixels of some images among them, and a `Trained` for each seed."""

    features: Features
    heads: Collection[Trained]


def measure(one: Run, other: Run) -> dict[str, float]:
    """Compare two competitors: a flat mapping of the largest differences.

    pixels, probabilities: absolute, of pixel values and of 1; probabilities after the last epoch.
    features, statistics, weights: the L2 norm of the difference over the larger of the two norms, of the worst image,
    tensor, seed. losses: the largest of `loss_differences` over all steps and seeds; losses_100: over the first 100
    steps; losses_median: the median over seeds of each seed's largest. classes: how many predicted classes differ, over
    images and seeds.
    """
    last = [run.features.plain["validation"][-1] for run in (one, other)]
    return {
        "pixels": largest(one.features.pixels, other.features.pixels),
        "features": float(np.max([relative(one.features.augmented, other.features.augmented), relative(*last)])),
        "statistics": statistics(one.features.statistics, other.features.statistics),
        **measure_heads(one.heads, other.heads),
    }


def measure_heads(one: Collection[Trained], other: Collection[Trained]) -> dict[str, float]:
    """Compare the trained heads of all seeds: the part of `measure` from the losses on."""
    values = np.array([_measure_head(*pair) for pair in zip(one, other)])  # one head of each in memory at a time
    losses, losses_100, weights, probabilities, _ = values.max(axis=0)
    return {"losses": float(losses), "losses_100": float(losses_100), "losses_median": float(np.median(values[:, 0])),
            "weights": float(weights), "probabilities": float(probabilities), "classes": int(values[:, 4].sum())}


def _measure_head(one: Trained, other: Trained) -> tuple[float, float, float, float, int]:
    """Return the largest loss difference, that of the first 100 steps, and those of weights, probabilities, classes."""
    losses = loss_differences(one.losses, other.losses)
    classes = [trained.probabilities.argmax(axis=1) for trained in (one, other)]
    return (losses.max(), losses[:100].max(), relative(flat(one.weights), flat(other.weights)),
            largest(one.probabilities, other.probabilities), int((classes[0] != classes[1]).sum()))


def largest(one: np.ndarray, other: np.ndarray) -> float:
    """Return the largest absolute difference of two arrays of one shape."""
    return float(np.abs(np.asarray(one, float) - other).max())


def relative(one: np.ndarray, other: np.ndarray) -> float:
    """Return the L2 norm of the difference along the last axis over the larger norm of the two; the largest of all.

    Where both are zero, as features of a tiny image can be, it is 0; where one is not a number, so is the result.

    >>> relative(np.array([[3.0, 4.0], [0.0, 2.0], [0.0, 0.0]]), np.array([[3.0, 4.0], [0.0, 1.0], [0.0, 0.0]]))
    0.5
    """
    one, other = np.asarray(one, float), np.asarray(other, float)
    difference = np.linalg.norm(one - other, axis=-1)
    norm = np.maximum(np.linalg.norm(one, axis=-1), np.linalg.norm(other, axis=-1))
    return float(np.divide(difference, norm, out=np.zeros_like(difference), where=norm != 0).max())


def loss_differences(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return each step's loss difference over the larger loss, or over `SMALLEST_LOSS` where both are below it.

    >>> loss_differences(np.array([0.5, 1e-3, 0.0, 1e-8]), np.array([0.4, 5e-4, 0.0, 0.0]))
    array([2.e-01, 5.e-01, 0.e+00, 1.e-05])
    """
    return np.abs(one - other) / np.maximum(np.maximum(one, other), SMALLEST_LOSS)


def flat(weights: Head) -> np.ndarray:
    """Return all numbers of a head's weights in one array."""
    return np.concatenate([tensor.ravel() for pair in weights for tensor in pair])


def statistics(one: list[Statistics], other: list[Statistics]) -> float:
    """Return the largest relative difference of the running statistics after the last view; 0 if neither changed."""
    if not one and not other:
        return 0.0
    if not one or not other:
        return 1.0  # only one of them changed: as far apart as possible
    if one[-1].keys() != other[-1].keys():
        return 1.0  # of two networks
    return float(np.max([relative(one[-1][name], other[-1][name]) for name in other[-1]]))
