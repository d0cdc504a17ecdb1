"""Independent units: which images belong together, because of what they show or of what their names say."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from versus.images import inspection
from versus.images.splitting import SplitError


def join(groups: np.ndarray, files: pd.Series, usable: np.ndarray, pattern: str) -> np.ndarray:
    """Join groups of near-duplicates with those that the files' names tell, such as of one patient or video.

    `groups`, (n,) int, holds for each of `files` the index of the first of its group, its own if it is alone. Files
    that are `usable`, (n,) bool, and in which the regular expression `pattern` finds the same text (in its first group,
    or else as a whole) come into one group, whatever their class; "" finds nothing. Returns the same kind of array.
    Raises SplitError if `pattern` finds nothing anywhere, or the same everywhere.
    """
    if not pattern:
        return groups
    names = np.array([_name(pattern, file) for file in files], object)
    rows = np.flatnonzero((names != "") & usable)
    distinct, first = np.unique(names[rows].astype(str), return_index=True)
    if len(distinct) < 2:
        got = f"{len(distinct)} names"
        if len(rows) == usable.sum():
            got = f"{str(distinct[0])!r} in all {len(rows):,} files"
        raise SplitError(f"got data.groups {pattern!r}, which finds {got}, such as {files.iloc[0]!r}; expected a "
                         "regular expression that finds the name of the patient or video in each file's path, two "
                         "names or more: change it, or leave it empty")
    first_rows = rows[first][np.searchsorted(distinct, names[rows].astype(str))]
    everything = np.arange(len(files))
    edges = np.concatenate([everything, rows]), np.concatenate([groups, first_rows])
    graph = coo_array((np.ones(len(edges[0])), edges), shape=(len(files), len(files)))
    _, joined = connected_components(graph, directed=False)
    _, first_members = np.unique(joined, return_index=True)
    return first_members[joined]


def _name(pattern: str, file: str) -> str:
    """Return what `pattern` finds in the path of a file, "" if it finds nothing."""
    match = re.search(pattern, file)
    return (match[1] if match.re.groups else match[0]) or "" if match else ""


def read(path: str | Path, part: str, names: list[str]) -> np.ndarray:
    """Number the units of images by data/split.csv: (images,) int; an image that is in no group is alone.

    names: those of the images of `part`, <class>/<name>.
    """
    table = inspection.read(path)
    groups = table[table.part == part].set_index("path").group
    of_images = [groups[f"{part}/{name}"] or f"only {name}" for name in names]
    return pd.factorize(np.array(of_images, object))[0]
