"""How far Keras and PyTorch are apart, stage by stage: pixels, features, losses, weights, probabilities, classes."""

from dataclasses import dataclass

import numpy as np

from versus.artifacts.features import Features

LEAST_LOSS = 1e-3  # smaller losses are measured as this: a log-softmax rounds at the precision of 1 and ends at 0


@dataclass(frozen=True)
class Stages:
    """What one framework made: pixels (images, size, size, 3) of some images, all features, a `Trained` a seed."""

    pixels: np.ndarray
    features: Features
    heads: list


def measure(keras, torch):
    """Compare two `Stages`: a flat mapping of the largest differences.

    pixels, probabilities: absolute, of levels and of 1; probabilities after every epoch that both keep. features,
    statistics, weights: the L2 norm of the difference over the greater of the two norms, of the worst image, tensor,
    seed. losses, losses_100: as `of_losses`, of the worst step, of all and of the first 100, of the worst seed
    (losses_median: of the median seed). classes: how many predicted classes differ, over all images and seeds.
    """
    return {
        "pixels": largest(keras.pixels, torch.pixels),
        "features": float(np.max([relative(keras.features.train, torch.features.train),
                                  relative(keras.features.validation[-1], torch.features.validation[-1])])),
        "statistics": _statistics(keras.features.statistics, torch.features.statistics),
        **measure_heads(keras.heads, torch.heads),
    }


def measure_heads(one, other):
    """Compare the trained heads of all seeds, lists of `Trained`: the part of `measure` from the losses on."""
    losses = np.array([of_losses(a.losses, b.losses) for a, b in zip(one, other)])  # (seeds, steps)
    classes = [[side.probabilities[-1].argmax(1) for side in pair] for pair in zip(one, other)]
    return {
        "losses": float(losses.max()),
        "losses_100": float(losses[:, :100].max()),
        "losses_median": float(np.median(losses.max(axis=1))),
        "weights": float(np.max([relative(flat(a.weights), flat(b.weights)) for a, b in zip(one, other)])),
        "probabilities": float(np.max([_of_probabilities(a, b) for a, b in zip(one, other)])),
        "classes": int(sum((a != b).sum() for a, b in classes)),
    }


def largest(one, other):
    """The largest absolute difference of two arrays of one shape."""
    return float(np.abs(np.asarray(one, float) - other).max())


def relative(one, other):
    """The L2 norm along the last axis of the difference, over the greater norm of the two; the largest of all.

    Where both are zero, as features of a tiny image can be, it is 0; where one is not a number, so is the result.

    >>> relative(np.array([[3.0, 4.0], [0.0, 2.0], [0.0, 0.0]]), np.array([[3.0, 4.0], [0.0, 1.0], [0.0, 0.0]]))
    0.5
    """
    one, other = np.asarray(one, float), np.asarray(other, float)
    difference = np.linalg.norm(one - other, axis=-1)
    norm = np.maximum(np.linalg.norm(one, axis=-1), np.linalg.norm(other, axis=-1))
    return float(np.divide(difference, norm, out=np.zeros_like(difference), where=norm != 0).max())


def of_losses(one, other):
    """The difference of each step's loss over the greater of the two, or over `LEAST_LOSS` where both are below it.

    >>> of_losses(np.array([0.5, 1e-3, 0.0, 1e-8]), np.array([0.4, 5e-4, 0.0, 0.0]))
    array([2.e-01, 5.e-01, 0.e+00, 1.e-05])
    """
    return np.abs(one - other) / np.maximum(np.maximum(one, other), LEAST_LOSS)


def _of_probabilities(one, other):
    """The largest difference after any epoch that both have kept: saved ones have the last alone."""
    kept = min(len(one.probabilities), len(other.probabilities))
    return largest(one.probabilities[-kept:], other.probabilities[-kept:])


def flat(weights):
    """All numbers of a head's weights in one array."""
    return np.concatenate([tensor.ravel() for pair in weights for tensor in pair])


def _statistics(keras, torch):
    """The largest relative difference of the running statistics after the last view; 0 where neither moved."""
    if not keras and not torch:
        return 0.0
    if not keras or not torch:
        return 1.0  # one stayed where the other moved: as far apart as it goes
    if keras[-1].keys() != torch[-1].keys():
        return 1.0  # of two networks
    return float(np.max([relative(keras[-1][name], torch[-1][name]) for name in torch[-1]]))
