"""Independent units: which images belong together by data/split.csv, and so count as one."""

from pathlib import Path

import numpy as np
import pandas as pd

from versus.images import tables


def read(path: str | Path, part: str, names: list[str]) -> np.ndarray:
    """Number the units of images by data/split.csv: (images,) int; an image that is in no group is alone.

    names: those of the images of `part`, <class>/<name>.
    """
    return of_paths(path, [f"{part}/{name}" for name in names])


def of_paths(path: str | Path, images: list[str]) -> np.ndarray:
    """Number the units of images of any part, <part>/<class>/<name>, as `read` does."""
    table = tables.read(path)
    groups = table[table.path != ""].set_index("path").group
    return pd.factorize(np.array([groups[image] or f"only {image}" for image in images], object))[0]
