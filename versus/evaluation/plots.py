"""What the plots of one classifier's predictions show: tables that the templates in .dvc/plots draw."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from versus.artifacts.predictions import Predictions
from versus.evaluation.scores import reliability

POINTS = 200  # of a curve


def plots(predictions: Predictions, record: dict[str, np.ndarray], deploy: str,
          title: str) -> dict[str, pd.DataFrame]:
    """Return the data of all plots of one classifier, by name; `record` is what its training recorded.

    deploy: `model.deploy`, which says what the saved classifier is. Each table begins with the columns competitor,
    which is `title`, and scope: which images the plot is about.
    """
    images, seeds, counts = predictions.scope, len(predictions.seeds), counts_of(predictions)
    saved = "" if seeds == 1 else f", mean of {seeds} seeds" if deploy == "mean" else f", first of {seeds} seeds"
    tables = {
        "curves": (learning_curves(record), "1 seed" if seeds == 1 else f"{seeds} seeds"),
        "confusion": (confusion(predictions.deployed(deploy)), images + saved),
        "roc": (roc_curve(counts), f"{images}, {_positive(predictions)}"),
        "precision_recall": (precision_recall_curve(counts), f"{images}, {_positive(predictions)}"),
        "seeds": (seed_accuracies(predictions), images),
        "reliability": (reliability(predictions.outcomes.confidences, predictions.correct), images),
    }
    return {name: pd.DataFrame({"competitor": title, "scope": images_of, **rows})
            for name, (rows, images_of) in tables.items()}


def _positive(predictions: Predictions) -> str:
    """Say which class is the positive one of a curve."""
    names = predictions.class_names
    return f"positive: {names[1]}" if len(names) == 2 else "micro-average of all classes"


def learning_curves(record: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return epoch, and of train_loss, validation_loss and validation_accuracy the seeds' mean and deviation, `_sd`.

    images: the number of validation images. `record` has them by name, (seeds, epochs) each: see
    `history.score_epoch`. The standard deviation is that between the seeds; 0 of a single one.
    """
    columns: dict = {"epoch": np.arange(1, record["train_loss"].shape[1] + 1)}
    for name in ("train_loss", "validation_loss", "validation_accuracy"):
        values = record[name]
        columns[name] = values.mean(axis=0)
        columns[f"{name}_sd"] = values.std(axis=0, ddof=1) if len(values) > 1 else np.zeros(values.shape[1])
    return pd.DataFrame(columns | {"images": record["probabilities"].shape[1]})


def confusion(predictions: Predictions) -> pd.DataFrame:
    """Return how many images of the class `actual` the first seed calls `predicted`.

    Columns actual, predicted, images, and share: of the actual class's images. One row for each pair of class names
    that occurs, and for each class with itself, so that every class is there.
    """
    number = len(predictions.class_names)
    counts = np.zeros((number, number), int)
    np.add.at(counts, (predictions.labels, predictions.predicted[0]), 1)
    actual, predicted = np.nonzero(counts + np.eye(number, dtype=int))
    names = np.array(predictions.class_names, dtype=object)
    images = counts[actual, predicted]
    return pd.DataFrame({"actual": names[actual], "predicted": names[predicted], "images": images,
                         "share": images / np.maximum(counts.sum(axis=1), 1)[actual]})


class Counts(NamedTuple):
    """How many cases of a curve have at least some score, for each score of a positive case, from high to low.

    Nothing that stands between two of those scores changes the course of a curve.
    """

    positives: np.ndarray  # (scores,) positive cases with at least this score
    at_least: np.ndarray   # (scores,) cases with at least this score
    above: np.ndarray      # (scores,) cases with a higher one
    cases: int


def counts_of(predictions: Predictions) -> list[Counts]:
    """Count the cases of the curves of each seed; [] without cases of both sides.

    Two classes: the second is the positive one. More: micro-average, each class against the rest, pooled.
    """
    labels, counts = predictions.labels, []
    two, positive = len(predictions.class_names) == 2, labels == 1
    if two and (positive.all() or not positive.any()):
        return []
    for of_seed in predictions.probabilities:
        own = of_seed[positive, 1] if two else of_seed[np.arange(len(labels)), labels]
        scores, own = np.sort(of_seed[:, 1] if two else of_seed, axis=None), np.sort(own)
        shown = np.unique(own)[::-1]
        counts.append(Counts(len(own) - np.searchsorted(own, shown), len(scores) - np.searchsorted(scores, shown),
                             len(scores) - np.searchsorted(scores, shown, "right"), len(scores)))
    return counts


def roc_curve(counts: list[Counts]) -> pd.DataFrame:
    """Return 200 points of the mean ROC curve: the seeds' true positive rates, averaged (Fawcett 2006, section 7.1).

    Seeds are not pooled, since their probabilities need not have one scale; the area is the mean of theirs. Which class
    is the positive one: see `counts_of`. Without images of both sides there is no curve.
    """
    shown, rates = np.linspace(0, 1, POINTS - 1), []
    if not counts:
        return pd.DataFrame({"false_positive_rate": [], "true_positive_rate": []}, dtype=float)
    for each in counts:
        before = np.array([0, *each.positives[:-1]])  # positive cases above each score
        true = np.array([before, each.positives]).T.ravel()
        false = np.array([each.above - before, each.at_least - each.positives]).T.ravel()
        negatives, positives = each.cases - each.positives[-1], each.positives[-1]
        # the last, so the highest, of equal false positive rates
        rates.append(np.interp(shown, np.array([0, *false, negatives]) / negatives,
                               np.array([0, *true, positives]) / positives))
    return pd.DataFrame({"false_positive_rate": [0.0, *shown], "true_positive_rate": [0.0, *np.mean(rates, axis=0)]})


def precision_recall_curve(counts: list[Counts]) -> pd.DataFrame:
    """Return 200 points of the mean precision-recall curve: the seeds' precisions at equal recall, averaged.

    The positive class is that of `roc_curve`. The precision at a recall is that at the highest threshold which reaches
    it: a step, never a line between two thresholds, which would promise too much (Davis & Goadrich 2006). So the area
    is the mean of the seeds' average precision. positives: the share of positive cases, the precision by chance.
    """
    if not counts:
        return pd.DataFrame({"recall": [], "precision": [], "positives": []}, dtype=float)
    shown = np.linspace(0, 1, POINTS)
    precisions = [(each.positives / each.at_least)[np.searchsorted(each.positives / each.positives[-1], shown - 1e-12)]
                  for each in counts]
    return pd.DataFrame({"recall": shown, "precision": np.mean(precisions, axis=0),
                         "positives": counts[0].positives[-1] / counts[0].cases})


def seed_accuracies(predictions: Predictions) -> pd.DataFrame:
    """Return the accuracy of each seed: columns seed, accuracy."""
    accuracies = predictions.correct.mean(axis=1)
    return pd.DataFrame({"seed": range(len(accuracies)), "accuracy": accuracies})
