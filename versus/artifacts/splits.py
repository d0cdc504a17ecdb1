"""The predictions of heads trained on several splits, which one stage trains for and another compares."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from versus.artifacts import tensors

BLOCKS = 5


def blocks(splits: int) -> np.ndarray:
    """Gather folds into `BLOCKS` blocks of about as many, or one each: the block of each fold, (splits,) int.

    >>> blocks(4), blocks(7)
    (array([0, 1, 2, 3]), array([0, 0, 1, 2, 2, 3, 4]))
    """
    return np.arange(splits) * min(splits, BLOCKS) // splits


@dataclass(frozen=True)
class SplitPredictions:
    """Predictions of the images of all folds by heads that have not seen the fold of the image.

    files: the images, as <part>/<class>/<name>. labels, units, folds: (images,) int; units as in `Predictions`, each in
    one fold. predicted: the classes, (sets of views, seeds, images) int. without_second: those by heads that have seen
    neither the image's block of folds (see `blocks`) nor a second one, with the first set of views, (blocks - 1, seeds,
    images) int: the first index counts the blocks apart from the image's own.
    """

    files: tuple[str, ...]
    class_names: tuple[str, ...]
    labels: np.ndarray
    units: np.ndarray
    folds: np.ndarray
    predicted: np.ndarray
    without_second: np.ndarray

    @property
    def splits(self) -> int:
        """The number of folds."""
        return int(self.folds.max()) + 1

    @property
    def correct(self) -> np.ndarray:
        """Whether each prediction is the true class, (sets of views, seeds, images) bool."""
        return self.predicted == self.labels

    @property
    def correct_without_second(self) -> np.ndarray:
        """The same without a second block, (blocks - 1, seeds, images) bool."""
        return self.without_second == self.labels


_ARRAYS = ("labels", "units", "folds", "predicted", "without_second")
_NAMES = ("files", "class_names")


def save(predictions: SplitPredictions | None, path: str | Path) -> None:
    """Write all as one safetensors file; None, where no splits are asked for, as a file without any."""
    arrays, names = (() if predictions is None else each for each in (_ARRAYS, _NAMES))
    tensors.save({name: getattr(predictions, name) for name in arrays},
                 {name: getattr(predictions, name) for name in names}, path)


def read(path: str | Path) -> SplitPredictions | None:
    """Read what `save` wrote."""
    arrays, names = tensors.read(path)
    if not arrays:
        return None
    files, class_names = (tuple(names[name]) for name in _NAMES)
    return SplitPredictions(files, class_names, *(arrays[name] for name in _ARRAYS))
