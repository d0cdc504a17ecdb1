"""The folds of `compare.splits`: training and validation images, divided anew."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from versus.images import dataset, units

PARTS = ("train", "validation")


class FoldsError(ValueError):
    """Images that cannot be divided into so many folds."""


@dataclass(frozen=True)
class Pool:
    """Images, each in one fold. labels, units, folds: (images,) int; images of one unit are in one fold."""

    files: list[Path]
    names: list[str]  # <part>/<class>/<name>
    labels: np.ndarray
    classes: list[str]
    units: np.ndarray
    folds: np.ndarray

    @property
    def splits(self) -> int:
        """The number of folds."""
        return int(self.folds.max()) + 1

    def members(self, fold: int) -> np.ndarray:
        """Return the indices of the images of a fold, ascending."""
        return np.flatnonzero(self.folds == fold)


def read(root: str | Path, table: str | Path, splits: int, seed: int) -> Pool:
    """Divide the training and validation images of `root` into `splits` folds, `table` being data/split.csv.

    A test part stays out of it, as does what the split has left out. Raises FoldsError.
    """
    parts = [dataset.read(root, part) for part in PARTS]
    files = [file for part in parts for file in part.files]
    names = [f"{name}/{image}" for name, part in zip(PARTS, parts) for image in part.names]
    labels, classes = np.concatenate([part.labels for part in parts]), parts[0].classes
    members = units.of_paths(table, names)
    return Pool(files, names, labels, classes, members, divide(labels, members, classes, splits, seed))


def divide(labels: np.ndarray, members: np.ndarray, classes: list[str], splits: int, seed: int) -> np.ndarray:
    """Draw the fold of each image, (images,) int: the same share of each class, and each unit in one fold.

    labels, members: the class and the unit of each image. Raises FoldsError unless each class is in all folds.
    """
    few = {name: number for label, name in enumerate(classes)
           if (number := len(np.unique(members[labels == label]))) < splits}
    if few:
        listed = ", ".join(f"{name!r} ({number})" for name, number in few.items())
        raise FoldsError(f"compare.splits: got {splits}, but the training and validation images of {listed} have fewer "
                         "that are independent; expected at least one for each split: choose fewer splits, or 1")
    folds = np.empty(len(labels), int)
    drawn = StratifiedGroupKFold(splits, shuffle=True, random_state=seed).split(labels, labels, members)
    for fold, (_, of_fold) in enumerate(drawn):
        folds[of_fold] = fold
    lacking = [name for label, name in enumerate(classes) if len(np.unique(folds[labels == label])) < splits]
    if lacking:
        raise FoldsError(f"compare.splits: got {splits}, but the images of {', '.join(map(repr, lacking))} belong "
                         "together in too large groups to be in each of so many folds: choose fewer splits, or 1")
    return folds
