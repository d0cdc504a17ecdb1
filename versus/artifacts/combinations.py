"""The predictions of every combination of conventions, which one stage trains and another explains."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from versus.artifacts.predictions import Predictions, PredictionsError


@dataclass(frozen=True)
class Combinations:
    """frameworks: the two whose defaults are combined. factors: the k conventions in which they differ.

    files: the images, as predictions name them. probabilities: (2^k, seeds, images, classes) float64; bit j of the
    first index is set where factor j has the second framework's default.
    """

    frameworks: tuple[str, str]
    factors: list[str]
    files: list[str]
    probabilities: np.ndarray

    def of_pair(self, frameworks: tuple[str, str], native: Predictions) -> list[Predictions]:
        """Return each combination's predictions, from the first framework's defaults to the second's.

        Raise PredictionsError unless they are combinations of these frameworks, and of the images of `native`.
        """
        if self.frameworks != frameworks:
            raise PredictionsError(f"got combinations from {self.frameworks[0]} to {self.frameworks[1]}, predictions "
                                   f"of {frameworks[0]} and {frameworks[1]}; expected the same order: call stages "
                                   "combinations and explain with the same competitors")
        if tuple(self.files) != native.files or self.probabilities.shape[2:] != native.probabilities.shape[1:]:
            raise PredictionsError(f"got combinations trained for {len(self.files)} images, predictions for "
                                   f"{len(native.files)}; expected the same images and classes: run `dvc repro`")
        return [native.with_probabilities(each) for each in self.probabilities]


def save(combinations: Combinations, path: str | Path) -> None:
    """Write all as one safetensors file."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    names = json.dumps({"frameworks": combinations.frameworks, "factors": combinations.factors,
                        "files": combinations.files})
    save_file({"probabilities": combinations.probabilities}, path, metadata={"names": names})


def read(path: str | Path) -> Combinations:
    """Read what `save` wrote."""
    with safe_open(path, "numpy") as tensors:
        names = json.loads(tensors.metadata()["names"])
        return Combinations(tuple(names["frameworks"]), names["factors"], names["files"],
                            tensors.get_tensor("probabilities"))
