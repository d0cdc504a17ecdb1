"""Draw the images of a part: stratified, seeded, near-duplicates on one side wherever possible."""

import re

import numpy as np
import pandas as pd


def draw(table: pd.DataFrame, groups: np.ndarray, same: np.ndarray, share: float, seed: int | list[int]) -> np.ndarray:
    """Draw `share` of each class, or the nearest that groups allow: which rows of `table` (file, class), (n,) bool.

    `groups` and `same`, (n,) int, number the groups of near-duplicates and of images that show the same. A group goes
    to one side, unless a class would then have no image on the other: the class is split inside its largest group.
    """
    groups, classes = np.unique(groups, return_inverse=True)[1], table["class"].to_numpy()
    while True:
        drawn = _draw_groups(classes, groups, share, np.random.default_rng(seed))
        one_sided = [name for name in np.unique(classes) if len(set(drawn[classes == name])) == 1]
        divided = groups
        for name in one_sided:
            divided = _divide(divided, np.flatnonzero(classes == name), table.file.to_numpy(), same, share)
        if np.array_equal(divided, groups):
            return drawn
        groups = divided


def _draw_groups(classes: np.ndarray, groups: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Draw whole groups: which images are drawn, (n,) bool.

    Each class keeps at least one image on either side, if groups allow. scikit-learn's StratifiedGroupKFold offers
    shares of 1/k only. Here groups come in random order, twice: first every group is drawn that does not exceed the
    number wanted of any class, then every group that exceeds it, but brings the numbers nearer to it.
    """
    if not len(classes):
        return np.array([], bool)
    names, columns = np.unique(classes, return_inverse=True)
    labels, rows = np.unique(groups, return_inverse=True)
    sizes = np.zeros((len(labels), len(names)), int)  # images of each group and class
    np.add.at(sizes, (rows, columns), 1)
    total = sizes.sum(0)  # (classes,), as are the two below
    wanted = np.clip(np.rint(share * total), 1, np.maximum(total - 1, 1)).astype(int)
    drawn = np.zeros(len(names), int)
    accepted = np.zeros(len(labels), bool)  # of each group
    order = rng.permutation(len(labels))
    for may_exceed in (False, True):
        for i in order[~accepted[order]]:
            after = drawn + sizes[i]
            fits = (after <= wanted).all()
            nearer = _distance(after, wanted, total) < _distance(drawn, wanted, total)
            accept = nearer if may_exceed else fits
            if accept:
                accepted[i], drawn = True, after
    return accepted[rows]


def _distance(drawn: np.ndarray, wanted: np.ndarray, total: np.ndarray) -> tuple[int, int]:
    """Count the classes with an empty part, then the images missing or in excess: pairs compare by the first number."""
    return int(((drawn == 0) | (drawn == total)).sum()), int(np.abs(drawn - wanted).sum())


def _divide(groups: np.ndarray, rows: np.ndarray, files: np.ndarray, same: np.ndarray, share: float) -> np.ndarray:
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
    count = np.clip(round(share * len(in_order)), 1, len(in_order) - 1)
    result = groups.copy()
    result[members[np.isin(units, in_order[-count:])]] = groups.max() + 1
    return result


def _natural(name: str) -> list:
    """Turn a name into a key that sorts "2.jpg" before "10.jpg"."""
    return [(int(piece), "") if piece.isdecimal() else (0, piece) for piece in re.split(r"(\d+)", name)]
