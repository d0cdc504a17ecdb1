"""The split's files and classes, in the order that every stage counts them in."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

PARTS = ("train", "validation")


@dataclass(frozen=True)
class Part:
    """One part of the split: sorted files, their labels (files,) as indices of `classes`, sorted class names."""

    files: list
    labels: np.ndarray
    classes: list

    @property
    def names(self):
        """The files as predictions name them: <class>/<name>."""
        return ["/".join(file.parts[-2:]) for file in self.files]


def read(root, part):
    """List `root`/`part`/<class>/*, sorted by class, then name: the order of Keras and torchvision."""
    folder = Path(root) / part
    classes = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    files = [path for name in classes for path in sorted((folder / name).iterdir())]
    labels = np.array([classes.index(path.parent.name) for path in files])
    return Part(files, labels, classes)
