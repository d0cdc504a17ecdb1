"""What a classifier's predictions are worth: accuracy, probabilities, calibration, and the data of their plots."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn import metrics
from sklearn.preprocessing import label_binarize

BINS = 15  # of the calibration error, as Guo et al. (2017) have it
ROC_POINTS = 200


class PredictionsError(ValueError):
    """A file of predictions that cannot be scored; the message names file, finding and remedy."""


@dataclass(frozen=True)
class Predictions:
    """Predictions of one framework for the same images with every seed."""

    seeds: tuple
    files: tuple
    class_names: tuple
    labels: np.ndarray         # (images,) int, indices into class_names
    probabilities: np.ndarray  # (seeds, images, classes) float64; each row sums to 1


def read_predictions(path):
    """Read data/predictions/<framework>.csv; raise PredictionsError if a seed lacks an image or a row is unusable."""
    try:
        rows = pd.read_csv(path, dtype={"file": str, "class": str}, keep_default_na=False)
    except (OSError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise PredictionsError(f"{path}: {error}; expected the predictions of stage predict: run `dvc repro`") from None
    names = tuple(column.removeprefix("p_") for column in rows if column.startswith("p_"))
    _check_rows(path, rows, names)
    rows = rows.sort_values(["seed", "file"], kind="stable")
    seeds = tuple(int(seed) for seed in rows["seed"].unique())
    first = rows[rows["seed"] == seeds[0]]
    files = tuple(first["file"])
    probabilities = rows[[f"p_{name}" for name in names]].to_numpy(float).reshape(len(seeds), len(files), len(names))
    return Predictions(seeds, files, names, np.array([names.index(name) for name in first["class"]]),
                       # softmax in single precision leaves sums that are 1e-7 off
                       probabilities / probabilities.sum(axis=2, keepdims=True))


def _check_rows(path, rows, names):
    """Raise PredictionsError unless the rows are every image's probabilities, once for each seed."""
    def complain(got, expected):
        raise PredictionsError(f"{path}: got {got}; expected {expected}: run `dvc repro -f` from the predict stages on")

    if missing := {"seed", "file", "class"} - set(rows):
        complain(f"no column {sorted(missing)}", "seed, file, class and p_<class> for each class")
    if len(names) < 2 or not len(rows):
        complain(f"{len(rows)} rows with the classes {names!r}", "at least one image and two columns p_<class>")
    if unknown := set(rows["class"]) - set(names):
        complain(f"the class {sorted(unknown)[0]!r} without a column", f"one of {names!r}")
    if absent := [name for name in names if name not in set(rows["class"])]:
        complain(f"no image of class {absent[0]!r}", "validation images of every class")
    by_seed = rows.sort_values(["seed", "file"], kind="stable").groupby("seed")
    contents = {tuple(zip(part["file"], part["class"], strict=True)) for _, part in by_seed}
    if len(contents) > 1 or rows.duplicated(["seed", "file"]).any():
        complain("seeds with different files or classes, or a file twice", "the same files once for each seed")
    values = rows[[f"p_{name}" for name in names]].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    bad = ~((values >= 0).all(axis=1) & (np.abs(values.sum(axis=1) - 1) < 1e-3))
    if bad.any():
        complain(f"{values[bad][0].tolist()!r} for {rows['file'][bad].iloc[0]!r}", "probabilities that sum to 1")


def check_pair(keras, torch):
    """Raise PredictionsError unless two Predictions are of the same seeds, images and classes."""
    for field in ("seeds", "files", "class_names"):
        ours, theirs = getattr(keras, field), getattr(torch, field)
        if ours != theirs:
            odd = sorted(set(ours) ^ set(theirs)) or "another order"
            raise PredictionsError(f"Keras and PyTorch predicted different {field}: {odd!r}; expected the same: "
                                   "run `dvc repro`, which brings both up to date")
    if not np.array_equal(keras.labels, torch.labels):
        raise PredictionsError("Keras and PyTorch were given different classes for the same images; run `dvc repro`")


def summary(probabilities, labels, class_names):
    """Score (seeds, images, classes) probabilities: means over the seeds, and `_sd`, the deviation between seeds."""
    each = pd.DataFrame([_scores(of_seed, labels, class_names) for of_seed in probabilities])
    spread = each[["accuracy", "log_loss"]].std(ddof=1).fillna(0.0)
    result = {}
    for name, mean in each.mean().items():
        result[name] = float(mean)
        if name in spread:
            result[f"{name}_sd"] = float(spread[name])
    return result | {"images": len(labels), "seeds": len(probabilities)}


def _scores(probabilities, labels, class_names):
    """The scores of one seed's (images, classes) probabilities."""
    classes = np.arange(len(class_names))
    predicted = probabilities.argmax(axis=1)
    precision, recall, _, _ = metrics.precision_recall_fscore_support(labels, predicted, labels=classes,
                                                                      zero_division=0)
    return {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "log_loss": metrics.log_loss(labels, probabilities, labels=classes),
        # two classes: mean of (p - y)^2, 0..1; more: summed over the classes, 0..2
        "brier": metrics.brier_score_loss(labels, probabilities, labels=classes),
        "roc_auc": roc_auc(probabilities, labels),
        "ece": calibration_error(probabilities, labels),
        **{f"recall_{name}": value for name, value in zip(class_names, recall)},
        **{f"precision_{name}": value for name, value in zip(class_names, precision)},
    }


def roc_auc(probabilities, labels):
    """Return the area under the ROC curve; for more than two classes the mean of one class against the rest."""
    if probabilities.shape[1] == 2:
        return metrics.roc_auc_score(labels, probabilities[:, 1])
    return metrics.roc_auc_score(labels, probabilities, multi_class="ovr", average="macro",
                                 labels=np.arange(probabilities.shape[1]))


def reliability(probabilities, labels):
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


def calibration_error(probabilities, labels):
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


def confusion(probabilities, labels, class_names):
    """Return one row (actual, predicted) of class names for each image: those of the first seed, the deployed one."""
    names = np.array(class_names, dtype=object)
    return pd.DataFrame({"actual": names[labels], "predicted": names[probabilities[0].argmax(axis=1)]})


def roc_curve(probabilities, labels):
    """Return at most 200 points of the ROC curve, all seeds pooled.

    Two classes: the second is the positive one. More: micro-average, each class against the rest, pooled.
    """
    seeds, _, classes = probabilities.shape
    if classes == 2:
        truth, score = np.tile(labels, seeds), probabilities[:, :, 1].ravel()
    else:
        truth = np.tile(label_binarize(labels, classes=np.arange(classes)).ravel(), seeds)
        score = probabilities.ravel()
    false, true, _ = metrics.roc_curve(truth, score)
    kept = np.unique(np.linspace(0, len(false) - 1, min(ROC_POINTS, len(false))).round().astype(int))
    return pd.DataFrame({"false_positive_rate": false[kept], "true_positive_rate": true[kept]})


def seed_accuracies(probabilities, labels):
    """Return the accuracy of each seed of (seeds, images, classes): a DataFrame of seed, accuracy."""
    accuracies = (probabilities.argmax(axis=2) == labels).mean(axis=1)
    return pd.DataFrame({"seed": range(len(accuracies)), "accuracy": accuracies})
