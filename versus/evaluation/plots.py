"""What the plots of one classifier's predictions show: tables that the templates in .dvc/plots draw."""

import numpy as np
import pandas as pd
from sklearn import metrics
from sklearn.preprocessing import label_binarize

from versus.artifacts.predictions import Predictions
from versus.evaluation.scores import reliability

POINTS = 200  # of a curve


def plots(predictions: Predictions, record: dict[str, np.ndarray], deploy: str,
          title: str) -> dict[str, pd.DataFrame]:
    """Return the data of all plots of one classifier, by name; `record` is what its training recorded.

    deploy: `model.deploy`, which says what the saved classifier is. Each table begins with the columns competitor,
    which is `title`, and scope: which images the plot is about.
    """
    images, seeds = predictions.scope, len(predictions.seeds)
    saved = "" if seeds == 1 else f", mean of {seeds} seeds" if deploy == "mean" else f", first of {seeds} seeds"
    tables = {
        "curves": (learning_curves(record), "1 seed" if seeds == 1 else f"{seeds} seeds"),
        "confusion": (confusion(predictions.deployed(deploy)), images + saved),
        "roc": (roc_curve(predictions), f"{images}, {_positive(predictions)}"),
        "precision_recall": (precision_recall_curve(predictions), f"{images}, {_positive(predictions)}"),
        "seeds": (seed_accuracies(predictions), images),
        "reliability": (reliability(predictions.probabilities, predictions.labels), images),
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
    `history.learning_curves`. The standard deviation is that between the seeds; 0 of a single one.
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


def _binary(predictions: Predictions) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the truth, (n,), and the scores of each seed, (seeds, n), of a curve; None without both sides of it.

    Two classes: the second is the positive one. More: micro-average, each class against the rest, pooled.
    """
    seeds, _, classes = predictions.probabilities.shape
    if classes == 2:
        truth, scores = predictions.labels, predictions.probabilities[:, :, 1]
    else:
        truth = label_binarize(predictions.labels, classes=np.arange(classes)).ravel()
        scores = predictions.probabilities.reshape(seeds, -1)
    return None if truth.all() or not truth.any() else (truth, scores)


def roc_curve(predictions: Predictions) -> pd.DataFrame:
    """Return 200 points of the mean ROC curve: the seeds' true positive rates, averaged (Fawcett 2006, section 7.1).

    Seeds are not pooled, since their probabilities need not have one scale; the area is the mean of theirs. Which class
    is the positive one: see `_binary`. Without images of both sides there is no curve.
    """
    shown, rates = np.linspace(0, 1, POINTS - 1), []
    if (cases := _binary(predictions)) is None:
        return pd.DataFrame({"false_positive_rate": [], "true_positive_rate": []}, dtype=float)
    for scores in cases[1]:
        false, true, _ = metrics.roc_curve(cases[0], scores)
        rates.append(np.interp(shown, false, true))  # the last, so the highest, of equal false positive rates
    return pd.DataFrame({"false_positive_rate": [0.0, *shown], "true_positive_rate": [0.0, *np.mean(rates, axis=0)]})


def precision_recall_curve(predictions: Predictions) -> pd.DataFrame:
    """Return 200 points of the mean precision-recall curve: the seeds' precisions at equal recall, averaged.

    The positive class is that of `roc_curve`. The precision at a recall is that at the highest threshold which reaches
    it: a step, never a line between two thresholds, which would promise too much (Davis & Goadrich 2006). So the area
    is the mean of the seeds' average precision. positives: the share of positive cases, the precision by chance.
    """
    if (cases := _binary(predictions)) is None:
        return pd.DataFrame({"recall": [], "precision": [], "positives": []}, dtype=float)
    shown, precisions = np.linspace(0, 1, POINTS), []
    for scores in cases[1]:
        precision, recall, _ = metrics.precision_recall_curve(cases[0], scores)  # recall falls from 1 to 0
        precision, recall = precision[-2::-1], recall[-2::-1]  # rising; without the point (0, 1), which is no threshold
        reached = np.searchsorted(recall, shown - 1e-12)
        precisions.append(precision[np.maximum(reached, np.searchsorted(recall, 1e-12))])
    return pd.DataFrame({"recall": shown, "precision": np.mean(precisions, axis=0), "positives": cases[0].mean()})


def seed_accuracies(predictions: Predictions) -> pd.DataFrame:
    """Return the accuracy of each seed: columns seed, accuracy."""
    accuracies = predictions.correct.mean(axis=1)
    return pd.DataFrame({"seed": range(len(accuracies)), "accuracy": accuracies})
