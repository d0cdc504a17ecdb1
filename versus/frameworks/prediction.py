"""Probabilities of saved heads, and the check that they are those of training."""

from types import ModuleType
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

from versus.artifacts import heads
from versus.artifacts.seed_by_seed import SeedBySeed
from versus.recipe.pixels import ImageBatches

# of a probability. In float32 the layers of training and those that are saved rounded up to 1e-5 apart by default, 4e-5
# after 30 epochs at ten times the learning rate
TOLERANCE = {"float32": 1e-4, "float64": 1e-12}


class Predictor(Protocol):
    """What `predict_seeds` needs of a framework: a head whose weights can be set."""

    def reset(self, weights: heads.Head) -> None: ...

    def probabilities(self, features: np.ndarray) -> np.ndarray: ...


class MismatchError(ValueError):
    """A saved classifier whose predictions are not those of training."""


def predict_seeds(head: Predictor, weights: list[heads.Head], features: np.ndarray) -> SeedBySeed:
    """Compute the probabilities with each seed's weights: (seeds, images, classes) from features (images, width)."""
    def of_seed(seed: int) -> np.ndarray:
        head.reset(weights[seed])
        return head.probabilities(features)

    return SeedBySeed((len(weights), len(features), heads.widths(weights[0])[-1]), of_seed)


def check_classifier(own: ModuleType, classifier: Any, images: ImageBatches, expected: np.ndarray) -> None:
    """Raise MismatchError unless the whole classifier gives the first batch of `images` the `expected` probabilities.

    `own` is the framework's module `features`; `expected` (images, classes) are those of backbone and head apart.
    """
    first = images.some(slice(1))
    with tqdm(disable=True) as bar:
        probabilities = own.apply(classifier, first, False, bar)
    check_same(expected[None, :len(first.files)], np.asarray(probabilities)[None], "the whole classifier")


def check_same(probabilities: np.ndarray | SeedBySeed, expected: np.ndarray | SeedBySeed, what: str) -> None:
    """Raise MismatchError unless both, (seeds, images, classes), agree to their precision; `what` names the second."""
    difference, allowed = np.inf, min(TOLERANCE.values())
    if probabilities.shape == expected.shape:
        difference = 0.0
        for own, others in zip(probabilities, expected):
            difference = np.maximum(difference, np.abs(own - others).max())  # of NaN NaN
            allowed = TOLERANCE[str(others.dtype)]
    if not difference <= allowed:
        raise MismatchError(f"got probabilities {probabilities.shape} that differ by {difference:.3g} from {what} "
                            f"{expected.shape}; expected at most {allowed:g}: the model and the features are not from "
                            "the same run; run `dvc repro --force`")
