"""The files and classes of the split, in the one order that all stages share."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

PARTS = ("train", "validation", "test")  # test is there only if the source has one, or split.test draws it


@dataclass(frozen=True)
class Part:
    """One part of the split."""

    files: list[Path]    # sorted by class, then name
    labels: np.ndarray   # (files,) int: the class of each file as an index of `classes`
    classes: list[str]   # sorted

    @property
    def names(self) -> list[str]:
        """The files as predictions name them: <class>/<name>."""
        return ["/".join(file.parts[-2:]) for file in self.files]


def read(root: str | Path, part: str) -> Part:
    """List `root`/`part`/<class>/*, sorted by class, then name, as Keras and torchvision do."""
    folder = Path(root) / part
    classes = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    files = [path for name in classes for path in sorted((folder / name).iterdir())]
    labels = np.array([classes.index(path.parent.name) for path in files])
    return Part(files, labels, classes)
