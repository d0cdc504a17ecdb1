"""Scores as a mean over seeds and images: their differences have an interval, and need no scikit-learn."""

from collections.abc import Callable

import numpy as np

from versus.artifacts.predictions import Predictions

Cells = Callable[[Predictions], np.ndarray | None]   # of each seed and image; their mean is the score
Limits = Callable[[Predictions], np.ndarray] | None  # the greatest difference of each image's cells, (images,)


def ones(predictions: Predictions) -> np.ndarray:
    """The greatest difference that an image can make in accuracy, (images,)."""
    return np.ones(len(predictions.labels))


def weights_of_classes(predictions: Predictions) -> np.ndarray:
    """The weight of each image in balanced accuracy, (images,): each class has the same sum, and their mean is 1."""
    images = np.bincount(predictions.labels)
    return len(predictions.labels) / ((images > 0).sum() * images[predictions.labels])


def _balanced_accuracy(predictions: Predictions) -> np.ndarray:
    return predictions.correct * weights_of_classes(predictions)


def brier(predictions: Predictions) -> np.ndarray:
    """Return the Brier score: two classes: (p - y)^2, 0..1; more: summed over the classes, 0..2."""
    errors = predictions.outcomes.squared_errors
    return errors / 2 if len(predictions.class_names) == 2 else errors


def overconfidence(predictions: Predictions) -> np.ndarray:
    return predictions.outcomes.confidences - predictions.correct


def roc_auc(predictions: Predictions) -> np.ndarray | None:
    """Return values of each seed and image whose mean is the area under the ROC curve.

    The area is that of the second of two classes; of more the mean of one class against the rest. Only classes that
    occur in the labels count; None if fewer than two do. An image's value is the area, plus how much the image's own
    share of pairs in the right order exceeds it, weighted by how rare its side is: their variance is that of DeLong et
    al. (1988).
    """
    labels, occurring = predictions.labels, np.unique(predictions.labels)
    if len(occurring) < 2:
        return None
    positive_classes = [1] if len(predictions.class_names) == 2 else list(occurring)
    values = np.zeros((len(predictions.seeds), len(labels)))
    for own, of_seed in zip(values, predictions.probabilities):
        scores = np.ascontiguousarray(of_seed.T)
        for label in positive_classes:
            own += _shares_in_order(scores[label], labels == label)
    return values / len(positive_classes)


def _shares_in_order(score: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Return each image's value for the area under one ROC curve, (images,), see `roc_auc`."""
    shares = np.empty(len(score))
    for side, sign in ((positive, 1), (~positive, -1)):
        others = np.sort(sign * score[~side])
        below, up_to = (np.searchsorted(others, sign * score[side], at) for at in ("left", "right"))
        shares[side] = (below + up_to) / (2 * len(others))
    area = shares[positive].mean()
    rarity = len(score) / np.where(positive, positive.sum(), (~positive).sum())
    return area + rarity * (shares - area)


# the scores whose differences have an interval: a value for each seed and image, and its bounds if it has any
CELLS: dict[str, tuple[Cells, Limits]] = {
    "accuracy": (lambda predictions: predictions.correct.astype(float), ones),
    "balanced_accuracy": (_balanced_accuracy, weights_of_classes),
    "log_loss": (lambda predictions: predictions.log_losses, None),
    "brier": (brier, None),
    "roc_auc": (roc_auc, None),
    "overconfidence": (overconfidence, None),
}
