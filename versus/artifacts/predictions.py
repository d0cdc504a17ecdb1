"""Predictions of one classifier; `predictions_csv` reads and writes them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from versus.artifacts.seed_by_seed import SeedBySeed

SUM_TOLERANCE = 1e-3  # of probabilities: softmax in single precision, or rounding to a few digits


class PredictionsError(ValueError):
    """A file of predictions that cannot be used, or two that do not go together."""


class Outcomes(NamedTuple):
    """What each seed makes of each image, (seeds, images)."""

    predicted: np.ndarray       # int, the most probable class; of equal ones the first
    confidences: np.ndarray     # the probability of that class
    own: np.ndarray             # the probability of the true class
    squared_errors: np.ndarray  # the sum over the classes of (probability - truth)^2, where truth is 0 or 1


@dataclass(frozen=True)
class Predictions:
    """Predictions of one classifier for the same images with every seed, images sorted by class and file.

    The probabilities of many seeds, images and classes need not fit into memory: go through them seed by seed, as
    `outcomes` and `mean` do, which are computed once.
    """

    seeds: tuple[int, ...]
    files: tuple[str, ...]
    class_names: tuple[str, ...]
    labels: np.ndarray         # (images,) int, indices into class_names
    probabilities: np.ndarray | SeedBySeed  # (seeds, images, classes) float64; each row sums to 1
    # (images,) int, the independent unit of each image: images of one unit, such as near-duplicates, are no independent
    # evidence. By default each image is a unit of its own; numbered from 0 in the order of the units' first images
    units: np.ndarray = field(default_factory=lambda: np.array([], int))
    part: str = ""             # of the split; "" if unknown

    def __post_init__(self) -> None:
        units = self.units if len(self.units) else np.arange(len(self.labels))
        if len(units) != len(self.labels):
            raise ValueError(f"got units of {len(units)} images; expected those of {len(self.labels)}")
        _, first, numbers = np.unique(units, return_index=True, return_inverse=True)
        object.__setattr__(self, "units", np.argsort(np.argsort(first))[numbers])

    @property
    def independent(self) -> int:
        """The number of independent units."""
        return int(self.units.max(initial=-1)) + 1

    @property
    def scope(self) -> str:
        """Which images these are, in words: "200 validation images"."""
        number = len(self.labels)
        return " ".join(filter(None, (f"{number:,}", self.part, "image" if number == 1 else "images")))

    @cached_property
    def outcomes(self) -> Outcomes:
        """What each seed makes of each image."""
        rows, each = np.arange(len(self.labels)), []
        for of_seed in self.probabilities:
            predicted, own = of_seed.argmax(axis=1), of_seed[rows, self.labels]
            errors = of_seed.astype(float)
            errors[rows, self.labels] -= 1
            each.append((predicted, of_seed[rows, predicted], own, np.square(errors, out=errors).sum(axis=1)))
        return Outcomes(*map(np.array, zip(*each)))

    @property
    def predicted(self) -> np.ndarray:
        """The predicted classes, (seeds, images) int; of equal probabilities the first."""
        return self.outcomes.predicted

    @property
    def correct(self) -> np.ndarray:
        """Whether each prediction is the true class, (seeds, images) bool."""
        return self.predicted == self.labels

    @property
    def log_losses(self) -> np.ndarray:
        """Minus the logarithm of the probability given to the true class, (seeds, images)."""
        own = self.outcomes.own
        return -np.log(np.maximum(own, np.finfo(own.dtype).eps))

    @cached_property
    def mean(self) -> np.ndarray:
        """The mean probabilities over the seeds, (images, classes)."""
        total = np.zeros(self.probabilities.shape[1:])
        for of_seed in self.probabilities:
            total += of_seed
        return total / len(self.probabilities)

    def with_probabilities(self, probabilities: np.ndarray | SeedBySeed) -> "Predictions":
        """Return other predictions, (seeds, images, classes), for the same images."""
        return replace(self, seeds=tuple(range(len(probabilities))), probabilities=probabilities)

    def deployed(self, deploy: str) -> "Predictions":
        """Return the predictions of the saved classifier, of one seed: see `model.deploy`."""
        if deploy == "mean":
            return self.with_probabilities(self.mean[None])
        return self.first_seeds(1)

    def first_seeds(self, number: int) -> "Predictions":
        """Return the predictions with the first seeds alone."""
        return replace(self, seeds=self.seeds[:number], probabilities=self.probabilities[:number])


def pair(one: Predictions, other: Predictions, titles: tuple[str, str],
         advice: str = "of this project's own predictions: run `dvc repro`") -> tuple[Predictions, Predictions]:
    """Return both, with the classes of `other` reordered as in `one`; raise PredictionsError unless they can be paired.

    They can if seeds, files, classes and the images' true classes are the same. Units must be the same as well, unless
    only one of the two has units of several images: then they are taken from it. `titles` name them in the error, which
    ends with `advice`.
    """
    problems = []
    for what, name in (("seeds", "seeds"), ("files", "files"), ("classes", "class_names")):
        first, second = set(getattr(one, name)), set(getattr(other, name))
        for title, missing in ((titles[1], first - second), (titles[0], second - first)):
            if missing:
                problems.append(f"{title} has no predictions for the {what} {some(sorted(missing))}")
    if not problems:
        other = _with_classes(other, one.class_names)
        of_files = dict(zip(other.files, other.labels))  # files are sorted by class, so another class is another order
        if changed := [file for file, label in zip(one.files, one.labels) if of_files[file] != label]:
            problems.append(f"the true class differs for {some(changed)}")
        else:
            one, other, apart = _with_equal_units(one, other)
            if apart:
                problems.append(f"the units differ for {some(apart)}")
    if problems:
        raise PredictionsError(f"{titles[0]} and {titles[1]} cannot be compared: {'; '.join(problems)}; expected the "
                               f"same seeds, files, classes and units in both ({advice})")
    return one, other


def _with_classes(predictions: Predictions, names: tuple[str, ...]) -> Predictions:
    """Return predictions whose classes have the order of `names`."""
    if predictions.class_names == names:
        return predictions
    own = {name: number for number, name in enumerate(predictions.class_names)}
    position = {name: number for number, name in enumerate(names)}
    labels = np.array([position[predictions.class_names[label]] for label in predictions.labels])
    order, values = [own[name] for name in names], predictions.probabilities
    return replace(predictions, class_names=names, labels=labels, probabilities=(
        values.with_classes(order) if isinstance(values, SeedBySeed) else values[..., order]))


def same_probabilities(one: Predictions, other: Predictions) -> bool:
    """Whether all probabilities of two predictions are equal, to the last bit."""
    return (one.probabilities.shape == other.probabilities.shape
            and all(map(np.array_equal, one.probabilities, other.probabilities)))


def _with_equal_units(one: Predictions, other: Predictions) -> tuple[Predictions, Predictions, list[str]]:
    """Return both in the order of the files of `one`, with the units of either; and the files whose units differ."""
    alone = [each.independent == len(each.files) for each in (one, other)]
    if alone[1]:
        return one, replace(other, units=one.units), []
    if alone[0]:
        return replace(one, units=other.units), other, []
    return one, other, [one.files[image] for image in np.flatnonzero(one.units != other.units)]


def some(values: Sequence, most: int = 3) -> str:
    """List at most `most` values, and say how many more there are."""
    listed = ", ".join(repr(value) for value in values[:most])
    return listed + (f" and {len(values) - most:,} more" if len(values) > most else "")
