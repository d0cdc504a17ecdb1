"""How good a classifier's predictions are: accuracy, probabilities, calibration, and the data of their plots."""

import numpy as np
import pandas as pd
from sklearn import metrics
from sklearn.preprocessing import label_binarize

from versus.artifacts.predictions import Predictions

BINS = 15  # of the calibration error, as in Guo et al. (2017)
ROC_POINTS = 200


def summary(predictions: Predictions) -> dict[str, float]:
    """Score all seeds: means over the seeds, and with the suffix `_sd` the standard deviation between seeds."""
    labels, class_names = predictions.labels, predictions.class_names
    each = pd.DataFrame([_scores(of_seed, labels, class_names) for of_seed in predictions.probabilities])
    spread = each[["accuracy", "log_loss"]].std(ddof=1).fillna(0.0)
    result: dict[str, float] = {}
    for name, mean in each.mean().items():
        result[name] = float(mean)
        if name in spread:
            result[f"{name}_sd"] = float(spread[name])
    return result | {"images": len(labels), "seeds": len(predictions.seeds)}


def _scores(probabilities: np.ndarray, labels: np.ndarray, class_names: tuple[str, ...]) -> dict[str, float]:
    """Return the scores of one seed's (images, classes) probabilities, without those that its images do not define."""
    classes = np.arange(len(class_names))
    predicted = probabilities.argmax(axis=1)
    precision, recall, _, images = metrics.precision_recall_fscore_support(labels, predicted, labels=classes,
                                                                           zero_division=0)
    area = roc_auc(probabilities, labels)
    return {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "log_loss": metrics.log_loss(labels, probabilities, labels=classes),
        # two classes: mean of (p - y)^2, 0..1; more: summed over the classes, 0..2
        "brier": metrics.brier_score_loss(labels, probabilities, labels=classes),
        **({} if area is None else {"roc_auc": area}),
        "ece": calibration_error(probabilities, labels),
        **{f"recall_{name}": value for name, value, number in zip(class_names, recall, images) if number},
        **{f"precision_{name}": value for name, value in zip(class_names, precision)},
    }


def roc_auc(probabilities: np.ndarray, labels: np.ndarray) -> float | None:
    """Return the area under the ROC curve; for more than two classes the mean of one class against the rest.

    Only classes that occur in the labels count; None if fewer than two do.

    >>> roc_auc(np.array([[0.7, 0.2, 0.1], [0.4, 0.5, 0.1], [0.1, 0.8, 0.1]]), np.array([0, 1, 1]))
    1.0
    """
    occurring = np.unique(labels)
    if len(occurring) < 2:
        return None
    if probabilities.shape[1] == 2:
        return metrics.roc_auc_score(labels, probabilities[:, 1])
    return float(np.mean([metrics.roc_auc_score(labels == label, probabilities[:, label]) for label in occurring]))


def reliability(probabilities: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    """Return (confidence, accuracy, images) of each used bin of (..., images, classes) probabilities.

    An image's confidence is its greatest probability; bin k of 15 holds the confidences in ((k-1)/15, k/15].
    Seeds are pooled: `images` counts an image once for each seed.
    """
    right = (probabilities.argmax(axis=-1) == labels).ravel()
    confidence = probabilities.max(axis=-1).ravel()
    bins = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    images = np.bincount(bins, minlength=BINS)
    used = images > 0
    sums = [np.bincount(bins, weights=values, minlength=BINS)[used] for values in (confidence, right)]
    return pd.DataFrame({"confidence": sums[0] / images[used], "accuracy": sums[1] / images[used],
                         "images": images[used]})


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Return the expected calibration error: sum over bins of images_k/images * |accuracy_k - confidence_k|.

    Guo, Pleiss, Sun & Weinberger (2017), On calibration of modern neural networks, ICML, equation 3; 15 equal bins.

    >>> round(calibration_error(np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([0, 1])), 12)
    0.4
    >>> calibration_error(np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([0, 1]))
    0.0
    """
    bins = reliability(probabilities, labels)
    gaps = (bins["accuracy"] - bins["confidence"]).abs()
    return float((bins["images"] * gaps).sum() / bins["images"].sum())


def confusion(predictions: Predictions) -> pd.DataFrame:
    """Return one row (actual, predicted) of class names for each image, with the first seed, the saved classifier."""
    names = np.array(predictions.class_names, dtype=object)
    return pd.DataFrame({"actual": names[predictions.labels], "predicted": names[predictions.predicted[0]]})


def roc_curve(predictions: Predictions) -> pd.DataFrame:
    """Return at most 200 points of the ROC curve, all seeds pooled.

    Two classes: the second is the positive one, and without images of both there is no curve. More: micro-average,
    each class against the rest, pooled.
    """
    seeds, _, classes = predictions.probabilities.shape
    if classes == 2:
        truth, score = np.tile(predictions.labels, seeds), predictions.probabilities[:, :, 1].ravel()
    else:
        truth = np.tile(label_binarize(predictions.labels, classes=np.arange(classes)).ravel(), seeds)
        score = predictions.probabilities.ravel()
    if truth.all() or not truth.any():
        return pd.DataFrame({"false_positive_rate": [], "true_positive_rate": []}, dtype=float)
    false, true, _ = metrics.roc_curve(truth, score)
    shown = np.unique(np.linspace(0, len(false) - 1, min(ROC_POINTS, len(false))).round().astype(int))
    return pd.DataFrame({"false_positive_rate": false[shown], "true_positive_rate": true[shown]})


def seed_accuracies(predictions: Predictions) -> pd.DataFrame:
    """Return the accuracy of each seed: columns seed, accuracy."""
    accuracies = predictions.correct.mean(axis=1)
    return pd.DataFrame({"seed": range(len(accuracies)), "accuracy": accuracies})


def mean_curves(record: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return the learning curves' means over the seeds: columns epoch, train_loss, validation_loss and _accuracy.

    `record` has them by name, (seeds, epochs) each: see `history.learning_curves`.
    """
    names = ("train_loss", "validation_loss", "validation_accuracy")
    means = {name: record[name].mean(axis=0) for name in names}
    return pd.DataFrame({"epoch": np.arange(1, len(means[names[0]]) + 1), **means})


def plots(predictions: Predictions, record: dict[str, np.ndarray]) -> dict[str, pd.DataFrame]:
    """Return the data of all plots of one classifier, by name; `record` is what its training recorded."""
    return {"curves": mean_curves(record), "confusion": confusion(predictions), "roc": roc_curve(predictions),
            "seeds": seed_accuracies(predictions),
            "reliability": reliability(predictions.probabilities, predictions.labels)}
