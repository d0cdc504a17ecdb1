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


def _brier(predictions: Predictions) -> np.ndarray:
    classes = predictions.probabilities.shape[2]
    errors = ((predictions.probabilities - np.eye(classes)[predictions.labels]) ** 2).sum(axis=2)
    return errors / 2 if classes == 2 else errors


def overconfidence(predictions: Predictions) -> np.ndarray:
    return predictions.probabilities.max(axis=2) - predictions.correct


def _roc_auc(predictions: Predictions) -> np.ndarray | None:
    """Return values of each seed and image whose mean is the area, and whose variance is that of DeLong et al. (1988).

    An image's value is the area, plus how much the image's own share of pairs in the right order exceeds it, weighted
    by how rare its side is. Areas are those of `scores.roc_auc`; None where that is.
    """
    labels, classes = predictions.labels, predictions.probabilities.shape[2]
    occurring = np.unique(labels)
    if len(occurring) < 2:
        return None
    positive_classes = [1] if classes == 2 else list(occurring)
    return np.mean([[_shares_in_order(of_seed[:, label], labels == label) for of_seed in predictions.probabilities]
                    for label in positive_classes], axis=0)


def _shares_in_order(score: np.ndarray, positive: np.ndarray) -> np.ndarray:
    """Return each image's value for the area under one ROC curve, (images,), see `_roc_auc`."""
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
    "brier": (_brier, None),
    "roc_auc": (_roc_auc, None),
    "overconfidence": (overconfidence, None),
}
