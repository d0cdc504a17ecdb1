"""Groups of images that belong together, because of what they show or of what their names say."""

import re

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from versus.images.splitting import SplitError


def join(groups: np.ndarray, images: pd.DataFrame, pattern: str) -> np.ndarray:
    """Join groups of near-duplicates with what is known of the images otherwise, such as of one patient or video.

    `groups`, (n,) int, holds for each of `images`, those of data/raw.csv, the index of the first of its group, its own
    if it is alone. Usable images with the same `group`, or in whose path the regular expression `pattern` finds the
    same text (in its first group, or else as a whole), come into one group, whatever their class; "" is no group.
    Returns the same kind of array. Raises SplitError if `pattern` finds nothing anywhere, or the same everywhere.
    """
    usable = (images.problem == "").to_numpy()
    groups = _join_equal(groups, images.group.to_numpy(), usable)
    if not pattern:
        return groups
    names = np.array([_name(pattern, file) for file in images.file], object)
    distinct = np.unique(names[(names != "") & usable].astype(str))
    if len(distinct) < 2:
        got = f"{len(distinct)} names"
        if len(distinct) and (names[usable] != "").all():
            got = f"{str(distinct[0])!r} in all {usable.sum():,} files"
        raise SplitError(f"got data.groups {pattern!r}, which finds {got}, such as {images.file.iloc[0]!r}; expected a "
                         "regular expression that finds the name of the patient or video in each file's path, two "
                         "names or more: change it, or leave it empty")
    return _join_equal(groups, names, usable)


def _join_equal(groups: np.ndarray, names: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Join the groups of `usable` images that have the same name, "" being none."""
    rows = np.flatnonzero((names != "") & usable)
    distinct, first = np.unique(names[rows].astype(str), return_index=True)
    first_rows = rows[first][np.searchsorted(distinct, names[rows].astype(str))]
    everything = np.arange(len(groups))
    edges = np.concatenate([everything, rows]), np.concatenate([groups, first_rows])
    graph = coo_array((np.ones(len(edges[0])), edges), shape=(len(groups), len(groups)))
    _, joined = connected_components(graph, directed=False)
    _, first_members = np.unique(joined, return_index=True)
    return first_members[joined]


def _name(pattern: str, file: str) -> str:
    """Return what `pattern` finds in the path of a file, "" if it finds nothing."""
    match = re.search(pattern, file)
    return (match[1] if match.re.groups else match[0]) or "" if match else ""
