"""The predictions of every combination of conventions, which one stage trains and another explains."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from versus.artifacts import tensors
from versus.artifacts.predictions import Predictions, PredictionsError


@dataclass(frozen=True)
class Combinations:
    """competitors: the two whose defaults are combined. part: that of the images. factors: the k conventions in which
    the two differ. entries: each combination's entry in the feature cache.

    files: the images, as predictions name them, with their class names and labels (images,). probabilities: (2^k,
    seeds, images, classes) float64; bit j of the first index is set where factor j has the second competitor's default.
    """

    competitors: tuple[str, str]
    part: str
    factors: list[str]
    entries: list[str]
    files: list[str]
    class_names: list[str]
    labels: np.ndarray
    probabilities: np.ndarray

    @property
    def predictions(self) -> list[Predictions]:
        """Each combination's predictions, from the first competitor's defaults to the second's."""
        seeds = tuple(range(self.probabilities.shape[1]))
        return [Predictions(seeds, tuple(self.files), tuple(self.class_names), self.labels, each, part=self.part)
                for each in self.probabilities]

    def of_pair(self, competitors: tuple[str, str], native: Predictions) -> list[Predictions]:
        """Return `predictions`, with the units of `native`.

        Raise PredictionsError unless they are combinations of these competitors, and of the images of `native`.
        """
        if self.competitors != competitors:
            raise PredictionsError(f"got combinations from {self.competitors[0]} to {self.competitors[1]}, predictions "
                                   f"of {competitors[0]} and {competitors[1]}; expected the same order: call stages "
                                   "combinations and explain with the same competitors")
        if tuple(self.files) != native.files or self.probabilities.shape[2:] != native.probabilities.shape[1:]:
            raise PredictionsError(f"got combinations trained for {len(self.files)} images, predictions for "
                                   f"{len(native.files)}; expected the same images and classes: run `dvc repro`")
        return [native.with_probabilities(each) for each in self.probabilities]


_ARRAYS = ("labels", "probabilities")
_NAMES = ("competitors", "part", "factors", "entries", "files", "class_names")


def save(combinations: Combinations, path: str | Path) -> None:
    """Write all as one safetensors file."""
    tensors.save({name: getattr(combinations, name) for name in _ARRAYS},
                 {name: getattr(combinations, name) for name in _NAMES}, path)


def read(path: str | Path) -> Combinations:
    """Read what `save` wrote."""
    arrays, names = tensors.read(path)
    competitors, *others = (names[name] for name in _NAMES)
    return Combinations(tuple(competitors), *others, *(arrays[name] for name in _ARRAYS))
