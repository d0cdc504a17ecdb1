"""The predictions of every combination of conventions, which one stage trains and another explains.

They are a folder: design.safetensors, and probabilities.npy with those of each seed of each training, (trainings *
seeds, images, classes) as computed. Combinations that are trained alike share a training.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from versus.artifacts import npy, tensors
from versus.artifacts.predictions import Predictions, PredictionsError
from versus.artifacts.seed_by_seed import SeedBySeed


@dataclass(frozen=True)
class Design:
    """What is combined, and for which images.

    competitors: the two whose defaults are combined. part: that of the images. factors: the k conventions in which the
    two differ. entries: each combination's entry in the feature cache. files: the images, as predictions name them,
    with their class names and labels (images,). trainings: the number of each combination's training, (2^k,); bit j of
    a combination's index is set where factor j has the second competitor's default.
    """

    competitors: tuple[str, str]
    part: str
    factors: list[str]
    entries: list[str]
    files: list[str]
    class_names: list[str]
    labels: np.ndarray
    trainings: np.ndarray


_ARRAYS = ("labels", "trainings")
_NAMES = ("competitors", "part", "factors", "entries", "files", "class_names")


@dataclass(frozen=True)
class Combinations:
    """A design with the probabilities of its trainings, (trainings * seeds, images, classes)."""

    design: Design
    probabilities: SeedBySeed

    @property
    def seeds(self) -> int:
        """How many training runs each combination has."""
        return len(self.probabilities) // (int(self.design.trainings.max()) + 1)

    @property
    def predictions(self) -> list[Predictions]:
        """Each combination's predictions, from the first competitor's defaults to the second's."""
        design = self.design
        return [Predictions(tuple(range(self.seeds)), tuple(design.files), tuple(design.class_names), design.labels,
                            self._of_training(number), part=design.part) for number in design.trainings]

    def of_pair(self, competitors: tuple[str, str], native: Predictions) -> list[Predictions]:
        """Return `predictions`, with the units of `native`.

        Raise PredictionsError unless they are combinations of these competitors, and of the images of `native`.
        """
        one, other = self.design.competitors
        if (one, other) != competitors:
            raise PredictionsError(f"got combinations from {one} to {other}, predictions of {competitors[0]} and "
                                   f"{competitors[1]}; expected the same order: call stages combinations and explain "
                                   "with the same competitors")
        files = self.design.files
        if tuple(files) != native.files or self.probabilities.shape[1:] != native.probabilities.shape[1:]:
            raise PredictionsError(f"got combinations trained for {len(files)} images, predictions for "
                                   f"{len(native.files)}; expected the same images and classes: run `dvc repro`")
        return [native.with_probabilities(self._of_training(number)) for number in self.design.trainings]

    def _of_training(self, number: int) -> SeedBySeed:
        """Return the probabilities of one training in float64, (seeds, images, classes), scaled to sums of 1."""
        values = self.probabilities[number * self.seeds:(number + 1) * self.seeds]

        def of_seed(seed: int) -> np.ndarray:
            of_images = values[seed].astype(float)
            return of_images / of_images.sum(axis=1, keepdims=True)

        return SeedBySeed(values.shape, of_seed)


def save(design: Design, probabilities: Iterable[np.ndarray], seeds: int, folder: str | Path) -> None:
    """Write a design, and as they come the probabilities of each of the `seeds` of each training, (images, classes)."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    npy.save(probabilities, seeds * (int(design.trainings.max()) + 1), folder / "probabilities.npy")
    tensors.save({name: getattr(design, name) for name in _ARRAYS}, {name: getattr(design, name) for name in _NAMES},
                 folder / "design.safetensors")


def read(folder: str | Path) -> Combinations:
    """Read what `save` wrote: the probabilities are read each time they are asked for."""
    arrays, names = tensors.read(Path(folder) / "design.safetensors")
    competitors, *others = (names[name] for name in _NAMES)
    design = Design(tuple(competitors), *others, *(arrays[name] for name in _ARRAYS))
    return Combinations(design, npy.read(Path(folder) / "probabilities.npy"))
