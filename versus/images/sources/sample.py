"""The source `sample`: photographs of solar cells from the package elpv-dataset (CC BY-NC-SA)."""

import importlib.resources
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from versus import params
from versus.images.sources.errors import SourceError
from versus.images.sources.tree import File, copy

CLASSES = {"defective": 1.0, "functional": 0.0}  # by probability of a defect; others in the package are in between


def fetch(settings: params.Data, split: params.Split, target: Path) -> list[File]:
    """Copy `settings.per_class` photographs each of defective and of functional cells, drawn at random."""
    top = Path(str(importlib.resources.files("elpv_dataset") / "data"))
    table = pd.read_csv(top / "labels.csv", sep=r"\s+", names=["file", "defect_probability", "type"])
    rng = np.random.default_rng(settings.seed)
    files: list[File] = []
    for name, probability in CLASSES.items():
        available = table.file[table.defect_probability == probability].to_numpy()
        if settings.per_class > len(available):
            raise SourceError(f"data.per_class: got {settings.per_class}; expected at most {len(available)} for "
                              f"data.source 'sample', which has no more images of class {name!r}")
        drawn = np.sort(rng.choice(available, settings.per_class, replace=False))
        files += [File(PurePosixPath(file), name) for file in drawn]
    return copy(top, files, target)
