"""Probabilities of saved heads, and the check that they are those of training."""

from types import ModuleType
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

from versus.artifacts import heads
from versus.recipe.pixels import ImageBatches

# of a probability; what the layers of training and those that are saved round differently is 1e-5 in float32
TOLERANCE = {"float32": 1e-4, "float64": 1e-12}


class Predictor(Protocol):
    """What `predict_seeds` needs of a framework: a head whose weights can be set."""

    def reset(self, weights: heads.Head) -> None: ...

    def probabilities(self, features: np.ndarray) -> np.ndarray: ...


class MismatchError(ValueError):
    """A saved classifier whose predictions are not those of training."""


def predict_seeds(head: Predictor, weights: list[heads.Head], features: np.ndarray) -> np.ndarray:
    """Compute the probabilities with each seed's weights: (seeds, images, classes) from features (images, width)."""
    probabilities = []
    for of_seed in weights:
        head.reset(of_seed)
        probabilities.append(head.probabilities(features))
    return np.stack(probabilities)


def check_classifier(own: ModuleType, classifier: Any, images: ImageBatches, expected: np.ndarray) -> None:
    """Raise MismatchError unless the whole classifier gives the first batch of `images` the `expected` probabilities.

    `own` is the framework's module `features`; `expected` (images, classes) are those of backbone and head apart.
    """
    first = images.some(slice(1))
    with tqdm(disable=True) as bar:
        probabilities = own.apply(classifier, first, False, bar)
    check_same(expected[:len(first.files)], probabilities, "the whole classifier")


def check_same(probabilities: np.ndarray, expected: np.ndarray, what: str) -> None:
    """Raise MismatchError unless two arrays of probabilities agree to their precision; `what` names the second."""
    expected = np.asarray(expected)
    same_shape = probabilities.shape == expected.shape
    difference = np.abs(probabilities - expected).max() if same_shape else np.inf
    if not difference <= TOLERANCE[str(expected.dtype)]:
        raise MismatchError(f"got probabilities {probabilities.shape} that differ by {difference:.3g} from {what} "
                            f"{expected.shape}; expected at most {TOLERANCE[str(expected.dtype)]:g}: the model and "
                            "the features are not from the same run; run `dvc repro --force`")
