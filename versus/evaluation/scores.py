"""How good a classifier's predictions are: accuracy, probabilities, calibration."""

import numpy as np
import pandas as pd
from sklearn import metrics

from versus import params
from versus.artifacts.predictions import Predictions
from versus.evaluation.cells import ones, overconfidence
from versus.evaluation.intervals import estimate

BINS = 15  # of the calibration error, as in Guo et al. (2017)
DRAWS, DRAWN = 200, 20_000_000  # at most so many draws, and so many outcomes, for the calibration error by chance



def summary(predictions: Predictions, settings: params.Compare) -> dict[str, float]:
    """Score all seeds: means over the seeds, and with the suffix `_sd` the standard deviation between seeds.

    overconfidence: mean confidence minus accuracy, with its 95 % interval. ece_by_chance: what the calibration error
    `ece` would be if the same confidences were calibrated perfectly: with few images it is far from 0. majority: the
    share of the most frequent class, the accuracy of naming it every time.
    """
    labels, class_names = predictions.labels, predictions.class_names
    each = pd.DataFrame([_scores(of_seed, labels, class_names) for of_seed in predictions.probabilities])
    spread = each[["accuracy", "log_loss"]].std(ddof=1).fillna(0.0)
    result: dict[str, float] = {}
    for name, mean in each.mean().items():
        result[name] = float(mean)
        if name in spread:
            result[f"{name}_sd"] = float(spread[name])
    gap = estimate(overconfidence(predictions), settings, predictions.units)
    low, high = gap.interval()
    return result | {"overconfidence": gap.mean, "overconfidence_low": low, "overconfidence_high": high,
                     "ece_by_chance": calibration_error_by_chance(predictions, settings.seed),
                     "majority": float(np.bincount(labels).max() / len(labels)), "classes": len(class_names),
                     "images": len(labels), "units": predictions.independent, "seeds": len(predictions.seeds)}


def _scores(probabilities: np.ndarray, labels: np.ndarray, class_names: tuple[str, ...]) -> dict[str, float]:
    """Return the scores of one seed's (images, classes) probabilities, without those that its images do not define."""
    classes = np.arange(len(class_names))
    predicted = probabilities.argmax(axis=1)
    precision, recall, f1, images = metrics.precision_recall_fscore_support(labels, predicted, labels=classes,
                                                                            zero_division=0)
    area = roc_auc(probabilities, labels)
    return {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "balanced_accuracy": recall[images > 0].mean(), "macro_f1": f1[images > 0].mean(),
        "log_loss": metrics.log_loss(labels, probabilities, labels=classes),
        # two classes: mean of (p - y)^2, 0..1; more: summed over the classes, 0..2
        "brier": metrics.brier_score_loss(labels, probabilities, labels=classes),
        **({} if area is None else {"roc_auc": area}),
        "ece": calibration_error(probabilities, labels),
        **{f"recall_{name}": value for name, value, number in zip(class_names, recall, images) if number},
        **{f"precision_{name}": value for name, value in zip(class_names, precision)},
    }


def accuracy_interval(predictions: Predictions, settings: params.Compare) -> tuple[float, float]:
    """Return the 95 % interval of the accuracy, within 0 and 1, for new images and, of several seeds, new seeds."""
    low, high = estimate(predictions.correct * 1.0, settings, predictions.units, ones(predictions)).interval()
    return max(low, 0.0), min(high, 1.0)


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


def calibration_error_by_chance(predictions: Predictions, seed: int) -> float:
    """Return the mean calibration error of the same confidences if they were perfectly calibrated.

    Drawn: each image is right with the probability of its confidence; images of one unit are right together.
    """
    seeds, images, _ = predictions.probabilities.shape
    confidences = predictions.probabilities.max(axis=2)  # (seeds, images)
    draws = int(np.clip(DRAWN // (seeds * images), 10, DRAWS))
    rng, errors = np.random.default_rng(seed), 0.0
    for confidence in confidences:
        bins = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
        for _ in range(draws):
            right = rng.random(predictions.independent)[predictions.units] < confidence
            errors += np.abs(np.bincount(bins, weights=right - confidence)).sum() / images
    return float(errors / (seeds * draws))
