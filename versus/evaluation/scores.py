"""How good a classifier's predictions are: accuracy, probabilities, calibration."""

import numpy as np
import pandas as pd
from sklearn import metrics

from versus import params
from versus.artifacts.predictions import Predictions
from versus.evaluation.cells import brier, ones, overconfidence, roc_auc
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
    each = pd.DataFrame(_scores(predictions))
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


def _scores(predictions: Predictions) -> dict[str, np.ndarray]:
    """Return the scores of each seed, (seeds,), without those that its images do not define."""
    labels, names = predictions.labels, predictions.class_names
    precision, recall, f1, images = np.swapaxes([metrics.precision_recall_fscore_support(
        labels, predicted, labels=np.arange(len(names)), zero_division=0) for predicted in predictions.predicted], 0, 1)
    occurring = images[0] > 0
    areas = roc_auc(predictions)
    confidences, correct = predictions.outcomes.confidences, predictions.correct
    return {
        "accuracy": correct.mean(axis=1),
        "balanced_accuracy": recall[:, occurring].mean(axis=1), "macro_f1": f1[:, occurring].mean(axis=1),
        "log_loss": predictions.log_losses.mean(axis=1), "brier": brier(predictions).mean(axis=1),
        **({} if areas is None else {"roc_auc": areas.mean(axis=1)}),
        "ece": np.array([calibration_error(*of_seed) for of_seed in zip(confidences, correct)]),
        **{f"recall_{name}": recall[:, label] for label, name in enumerate(names) if occurring[label]},
        **{f"precision_{name}": precision[:, label] for label, name in enumerate(names)},
    }


def accuracy_interval(predictions: Predictions, settings: params.Compare) -> tuple[float, float]:
    """Return the 95 % interval of the accuracy, within 0 and 1, for new images and, of several seeds, new seeds."""
    low, high = estimate(predictions.correct * 1.0, settings, predictions.units, ones(predictions)).interval()
    return max(low, 0.0), min(high, 1.0)


def reliability(confidences: np.ndarray, correct: np.ndarray) -> pd.DataFrame:
    """Return (confidence, accuracy, images) of each used bin of predictions; bin k of 15 is ((k-1)/15, k/15].

    confidences, correct: the greatest probability, and whether it is that of the true class, of each image or of each
    seed and image. Seeds are pooled: `images` counts an image once for each seed.
    """
    right, confidence = correct.ravel(), confidences.ravel()
    bins = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    images = np.bincount(bins, minlength=BINS)
    used = images > 0
    sums = [np.bincount(bins, weights=values, minlength=BINS)[used] for values in (confidence, right)]
    return pd.DataFrame({"confidence": sums[0] / images[used], "accuracy": sums[1] / images[used],
                         "images": images[used]})


def calibration_error(confidences: np.ndarray, correct: np.ndarray) -> float:
    """Return the expected calibration error: sum over bins of images_k/images * |accuracy_k - confidence_k|.

    Guo, Pleiss, Sun & Weinberger (2017), On calibration of modern neural networks, ICML, equation 3; 15 equal bins.

    >>> round(calibration_error(np.array([0.9, 0.9]), np.array([True, False])), 12)
    0.4
    >>> calibration_error(np.array([1.0, 1.0]), np.array([True, True]))
    0.0
    """
    bins = reliability(confidences, correct)
    gaps = (bins["accuracy"] - bins["confidence"]).abs()
    return float((bins["images"] * gaps).sum() / bins["images"].sum())


def calibration_error_by_chance(predictions: Predictions, seed: int) -> float:
    """Return the mean calibration error of the same confidences if they were perfectly calibrated.

    Drawn: each image is right with the probability of its confidence; images of one unit are right together.
    """
    confidences = predictions.outcomes.confidences
    seeds, images = confidences.shape
    draws = int(np.clip(DRAWN // (seeds * images), 10, DRAWS))
    rng, errors = np.random.default_rng(seed), 0.0
    for confidence in confidences:
        bins = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
        for _ in range(draws):
            right = rng.random(predictions.independent)[predictions.units] < confidence
            errors += np.abs(np.bincount(bins, weights=right - confidence)).sum() / images
    return float(errors / (seeds * draws))
