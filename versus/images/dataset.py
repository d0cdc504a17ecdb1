"""The files and classes of the split, in the one order that all stages share."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

PARTS = ("train", "validation", "test")  # test is there only if the source has one, or split.test draws it


class PartError(ValueError):
    """A part that is asked for and not there."""


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


def parts(root: str | Path) -> list[str]:
    """List those of PARTS that are below `root`."""
    return [part for part in PARTS if Path(root, part).is_dir()]


def compared_part(root: str | Path, choice: str) -> str:
    """Return the part whose images are scored: `choice`, or of "auto" the test part, where there is one.

    Raises PartError if that part is not there.
    """
    part = choice if choice != "auto" else parts(root)[-1]
    if part not in parts(root):
        raise PartError(f"compare.part: got {choice!r}, but there is no test part; expected one in the source, or a "
                        "split.test above 0: set that, or compare.part to auto")
    return part


def read(root: str | Path, part: str) -> Part:
    """List `root`/`part`/<class>/*, sorted by class, then name, as Keras and torchvision do."""
    folder = Path(root) / part
    classes = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    files = [path for name in classes for path in sorted((folder / name).iterdir())]
    labels = np.array([classes.index(path.parent.name) for path in files])
    return Part(files, labels, classes)
