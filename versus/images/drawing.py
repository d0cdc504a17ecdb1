"""Draw images for training and validation: stratified, seeded, near-duplicates in one part wherever possible."""

import re

import numpy as np
import pandas as pd

from versus import params


def draw(table: pd.DataFrame, groups: np.ndarray, same: np.ndarray, settings: params.Split) -> np.ndarray:
    """Draw a part for each row of `table` (file, class): (n,) str, "train" or "validation".

    `groups` and `same`, (n,) int, number the groups of near-duplicates and of images that show the same. A group goes
    into one part, unless a class would then have no image in the other: the class is split inside its largest group.
    """
    groups, classes = np.unique(groups, return_inverse=True)[1], table["class"].to_numpy()
    while True:
        parts = _draw_groups(classes, groups, settings)
        one_sided = [name for name in np.unique(classes) if len(set(parts[classes == name])) == 1]
        divided = groups
        for name in one_sided:
            divided = _divide(divided, np.flatnonzero(classes == name), table.file.to_numpy(), same, settings)
        if np.array_equal(divided, groups):
            return parts
        groups = divided


def _draw_groups(classes: np.ndarray, groups: np.ndarray, settings: params.Split) -> np.ndarray:
    """Draw a part for each image, (n,) str: `settings.validation` of each class, or the nearest that groups allow.

    Each class keeps at least one image in either part, if groups allow. scikit-learn's StratifiedGroupKFold offers
    shares of 1/k only. Here groups come in random order, twice: first every group is added to validation that does
    not exceed the number wanted of any class, then every group that exceeds it, but brings the numbers nearer to it.
    """
    if not len(classes):
        return np.array([], str)
    names, columns = np.unique(classes, return_inverse=True)
    labels, rows = np.unique(groups, return_inverse=True)
    sizes = np.zeros((len(labels), len(names)), int)  # images of each group and class
    np.add.at(sizes, (rows, columns), 1)
    total = sizes.sum(0)  # (classes,), as are the two below
    wanted = np.clip(np.rint(settings.validation * total), 1, np.maximum(total - 1, 1)).astype(int)
    drawn = np.zeros(len(names), int)
    in_validation = np.zeros(len(labels), bool)  # of each group
    order = np.random.default_rng(settings.seed).permutation(len(labels))
    for may_exceed in (False, True):
        for i in order[~in_validation[order]]:
            after = drawn + sizes[i]
            fits = (after <= wanted).all()
            nearer = _distance(after, wanted, total) < _distance(drawn, wanted, total)
            accept = nearer if may_exceed else fits
            if accept:
                in_validation[i], drawn = True, after
    return np.where(in_validation[rows], "validation", "train")


def _distance(drawn: np.ndarray, wanted: np.ndarray, total: np.ndarray) -> tuple[int, int]:
    """Count the classes with an empty part, then the images missing or in excess: pairs compare by the first number."""
    return int(((drawn == 0) | (drawn == total)).sum()), int(np.abs(drawn - wanted).sum())


def _divide(groups: np.ndarray, rows: np.ndarray, files: np.ndarray, same: np.ndarray, settings: params.Split
            ) -> np.ndarray:
    """Make a group of its own of some images of a class, `rows`, that are in its largest group; unchanged if it is one.

    These are the last ones in the order of their names, numbers compared as numbers: frames of a video or views of an
    object then have few neighbours on the other side. Images that show the same stay together, if they are not all.
    """
    members = rows[groups[rows] == np.bincount(groups[rows]).argmax()]
    if len(members) < 2:
        return groups
    members = np.array(sorted(members, key=lambda row: _natural(str(files[row]))))
    units = same[members] if len(set(same[members])) > 1 else members
    in_order = list(dict.fromkeys(units))
    count = np.clip(round(settings.validation * len(in_order)), 1, len(in_order) - 1)
    result = groups.copy()
    result[members[np.isin(units, in_order[-count:])]] = groups.max() + 1
    return result


def _natural(name: str) -> list:
    """Turn a name into a key that sorts "2.jpg" before "10.jpg"."""
    return [(int(piece), "") if piece.isdecimal() else (0, piece) for piece in re.split(r"(\d+)", name)]
