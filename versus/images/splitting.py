"""Which images train and which validate."""

from pathlib import PurePosixPath

import numpy as np
import pandas as pd

PARTS = ("train", "validation")
COLUMNS = ("file", "class", "part", "path", "reason", "group")


class SplitError(ValueError):
    """Images that cannot be split; the message says what was got, what was expected and what to do."""


def split(images, groups, params):
    """Give each image its part: a DataFrame of COLUMNS, sorted by file; raises SplitError.

    `images` is data/raw.csv, `groups` the index of the first member of each one's near-duplicates (its own where it is
    alone or unusable), (n,) int, `params` the section `split`. A published split is kept if it has both parts and
    `params.published`; whatever has no part then is drawn, stratified, whole groups to one part.
    """
    table = images[["file", "class"]].reset_index(drop=True)
    table["group"] = _group_names(table.file, groups)
    usable = (images.problem == "").to_numpy()
    _check_classes(table[usable])
    published = images.published.to_numpy() if _has_split(images[usable], params) else np.full(len(images), "")
    table["part"] = np.where(usable, published, "")
    table["reason"] = np.where(usable, "published", "problem: " + images.problem)
    open_ones = np.flatnonzero(usable & (published == ""))
    table.loc[open_ones, "part"] = _draw(table["class"].to_numpy()[open_ones], np.asarray(groups)[open_ones], params)
    table.loc[open_ones, "reason"] = "drawn"
    leaks = _leaks(table)
    if params.leaks == "remove":
        table.loc[leaks.index, "part"] = ""
        table.loc[leaks.index, "reason"] = "near-duplicate of " + leaks + " in validation"
    _check_parts(table, usable)
    table["path"] = _paths(table)
    return table[list(COLUMNS)].sort_values("file", ignore_index=True)


def counts(table, images):
    """Count what `split` made of `images`: flat scalars.

    A leak is a training image with a near-duplicate in validation, found before any was taken out; it is exact if the
    bytes are the same.
    """
    part, reason, classes = table.part, table.reason, table["class"]
    removed = reason.str.startswith("near-duplicate of ")
    leaked = removed | table.index.isin(_leaks(table).index)
    sums = table.file.map(images.set_index("file").sha256)
    exact = leaked & sums.isin(sums[part == "validation"])
    result = {"classes": classes.nunique(), **{each: (part == each).sum() for each in PARTS},
              "problems": reason.str.startswith("problem: ").sum(),
              "near_duplicate_groups": table.group[table.group != ""].nunique(), "leaks_exact": exact.sum(),
              "leaks_near": (leaked & ~exact).sum(), "leaks_removed": removed.sum()}
    for name in sorted(classes.unique()):
        result |= {f"{each}_{name}": ((part == each) & (classes == name)).sum() for each in PARTS}
    return {key: int(value) for key, value in result.items()}


def _group_names(files, groups):
    """Name each group after its first file; "" for an image that is alone."""
    groups = np.asarray(groups)
    shared = np.bincount(groups, minlength=len(files))[groups] > 1
    return np.where(shared, files.to_numpy()[groups], "")


def _has_split(images, params):
    return params.published and set(PARTS) <= set(images.published)


def _draw(classes, groups, params):
    """Draw a part for each image, (n,) str, so that each class has its share in validation as nearly as groups allow.

    scikit-learn's StratifiedGroupKFold knows shares of 1/k only, so: groups in random order, first those that fit into
    what validation still lacks, then those that bring it nearer to its share though they exceed it.
    """
    if not len(classes):
        return np.array([], str)
    names, columns = np.unique(classes, return_inverse=True)
    labels, rows = np.unique(groups, return_inverse=True)
    sizes = np.zeros((len(labels), len(names)), int)  # images of each group and class
    np.add.at(sizes, (rows, columns), 1)
    total = sizes.sum(0)
    wanted = np.clip(np.rint(params.validation * total), 1, np.maximum(total - 1, 1)).astype(int)
    chosen, drawn = np.zeros(len(labels), bool), np.zeros(len(names), int)
    order = np.random.default_rng(params.seed).permutation(len(labels))
    for exceed in (False, True):
        for i in order[~chosen[order]]:
            after = drawn + sizes[i]
            nearer = _distance(after, wanted, total) < _distance(drawn, wanted, total)
            if nearer if exceed else (after <= wanted).all():
                chosen[i], drawn = True, after
    return np.where(chosen[rows], "validation", "train")


def _distance(drawn, wanted, total):
    """Classes with an empty part, and images off the wanted number: a pair, so that the first weighs more."""
    return ((drawn == 0) | (drawn == total)).sum(), np.abs(drawn - wanted).sum()


def _leaks(table):
    """For each training image with near-duplicates in validation the first of those: a Series of files by row."""
    grouped = table[table.group != ""]
    validation = grouped[grouped.part == "validation"].groupby("group").file.min()
    return grouped[grouped.part == "train"].group.map(validation).dropna().astype(str)


def _paths(table):
    """Path of each image below data/split, "" where it has no part; a stem grows by "_" until the name is free."""
    taken = set()
    return [_free_path(row, taken) if row["part"] else "" for row in table.to_dict("records")]


def _free_path(row, taken):
    path = PurePosixPath(row["part"], row["class"], PurePosixPath(row["file"]).name)
    while path.as_posix() in taken:
        path = path.with_stem(path.stem + "_")
    taken.add(path.as_posix())
    return path.as_posix()


def _check_classes(usable):
    """Refuse fewer than two classes."""
    names = sorted(usable["class"].unique())
    if len(names) < 2:
        raise SplitError(f"got images that can be used of {len(names)} classes, {names!r}; expected two classes or "
                         "more: look at column problem of data/raw.csv, or choose other data")


def _check_parts(table, usable):
    """Refuse a class that has no image in one of the parts."""
    for name, rows in table.groupby("class"):
        good = rows[usable[rows.index]]
        for part in PARTS:
            if not (good.part == part).any():
                raise SplitError(f"got no image of class {name!r} in {part}: {len(good)} of its {len(rows)} files are "
                                 f"usable, {_units(good)} if near-duplicates count once; expected one or more in each "
                                 f"part: add images of that class, {_remedy(good)}")


def _units(rows):
    """How many the rows are if near-duplicates count as one."""
    return rows.group[rows.group != ""].nunique() + (rows.group == "").sum()


def _remedy(rows):
    if rows.reason.str.startswith("near-duplicate of ").any():
        return "or set split.leaks to keep or split.published to false"
    return "or set split.published to false" if (rows.reason == "published").any() else "or remove its folder"
