"""Decide which images are for training and which for validation."""

from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from versus import params
from versus.images.dataset import PARTS
from versus.images.drawing import draw
from versus.images.duplicates import Duplicates

COLUMNS = ("file", "class", "part", "path", "reason", "group")
# how reasons begin
PROBLEM, CONFLICT, LEAK = "problem: ", "label conflict: the same image as ", "near-duplicate of "
DIVIDED = "drawn inside a group of near-duplicates: a class of it cannot be split otherwise"
# how one ends
INDISPENSABLE = ": its class has no other training images"


class SplitError(ValueError):
    """Images that cannot be split; the message says what was got, what was expected and what to do."""


def split(images: pd.DataFrame, duplicates: Duplicates, settings: params.Split) -> pd.DataFrame:
    """Assign each image to a part: a DataFrame of COLUMNS, sorted by file; raises SplitError.

    `images` is data/raw.csv, `duplicates` are its groups; an image that cannot be used is alone. A published split is
    kept if it has both parts and `settings.published` is set. All other images are drawn: the same share of each class,
    and near-duplicates into one part, unless a class cannot be split otherwise. The same image in two classes is in no
    part: one label is wrong, and nobody knows which.
    """
    table = images[["file", "class"]].reset_index(drop=True)
    table["group"] = _group_names(table.file, duplicates.near)
    conflicts = _conflicts(table, duplicates.same)
    usable = (images.problem == "").to_numpy() & ~table.index.isin(conflicts.index)
    _check_classes(table[usable], len(conflicts))
    keeps_published = settings.published and _has_split(images[usable])
    published = images.published.to_numpy() if keeps_published else np.full(len(images), "")
    table["part"] = np.where(usable, published, "")
    table["reason"] = np.where(usable, "published", PROBLEM + images.problem)
    table.loc[conflicts.index, "reason"] = CONFLICT + conflicts
    rows = np.flatnonzero(usable & (published == ""))
    table.loc[rows, "part"] = draw(table.iloc[rows], duplicates.near[rows], duplicates.same[rows], settings)
    table.loc[rows, "reason"] = "drawn"
    _settle_leaks(table, rows, settings)
    _check_parts(table, usable)
    table["path"] = _paths(table)
    return table[list(COLUMNS)].sort_values("file", ignore_index=True)


def save(table: pd.DataFrame, path: str | Path) -> None:
    """Write what `split` returned as CSV."""
    table.to_csv(path, index=False)


def counts(table: pd.DataFrame, images: pd.DataFrame) -> dict[str, int]:
    """Count images, problems and leaks in `table`, as `split` made it of `images`.

    A leak is a training image with a near-duplicate in validation, whether or not it was removed; it is exact if the
    files have the same bytes. It is unavoidable if a class could not be split otherwise.
    """
    part, reason, classes = table.part, table.reason, table["class"]
    removed = reason.str.startswith(LEAK)
    leaked = removed | table.index.isin(_leaks(table).index)
    checksums = table.file.map(images.set_index("file").sha256)
    exact = leaked & checksums.isin(checksums[part == "validation"])
    result = {"classes": classes.nunique(), **{each: (part == each).sum() for each in PARTS},
              "problems": reason.str.startswith(PROBLEM).sum(),
              "label_conflicts": reason.str.startswith(CONFLICT).sum(),
              "near_duplicate_groups": table.group[table.group != ""].nunique(), "leaks_exact": exact.sum(),
              "leaks_near": (leaked & ~exact).sum(), "leaks_removed": removed.sum(),
              "leaks_unavoidable": (leaked & ((reason == DIVIDED) | reason.str.endswith(INDISPENSABLE))).sum()}
    for name in sorted(classes.unique()):
        result |= {f"{each}_{name}": ((part == each) & (classes == name)).sum() for each in PARTS}
    return {key: int(value) for key, value in result.items()}


def summary(counts: dict[str, int]) -> str:
    """Say in a line or more what `counts` returned: the parts, what was left out, and what could not be kept apart."""
    lines = ["{train} training and {validation} validation images of {classes} classes; {leaks_removed} training "
             "images removed of {leaks_exact} copies and {leaks_near} near-duplicates of validation images; {problems} "
             "with problems"]
    if counts["leaks_unavoidable"]:
        lines.append("{leaks_unavoidable} training images stay although validation has near-duplicates of them: their "
                     "classes cannot be split otherwise (`reason` in data/split.csv). Expect lower accuracy on new "
                     "images than on these")
    if counts["label_conflicts"]:
        lines.append("{label_conflicts} images are left out, since the same image is in another class (`reason` in "
                     "data/split.csv): remove the wrong ones to use the others")
    return "\n".join(lines).format(**counts)


def _conflicts(table: pd.DataFrame, same: np.ndarray) -> pd.Series:
    """Find the images that show the same as one of another class: by row, that one's file."""
    groups = table.groupby(same)
    rows = table.index[groups["class"].transform("nunique") > 1]
    others = [members[members["class"] != table["class"][row]].file.min() for row in rows
              for members in [groups.get_group(same[row])]]
    return pd.Series(others, rows, str)


def _settle_leaks(table: pd.DataFrame, drawn: np.ndarray, settings: params.Split) -> None:
    """Remove training images with near-duplicates in validation, but for those without which a class cannot be split.

    `drawn` are the rows that were not published. Sets `part` and `reason`.
    """
    in_both = table.iloc[drawn].groupby("group").part.nunique() > 1
    divided = table.group.isin(in_both.index[in_both]) & (table.group != "")
    table.loc[divided & table.index.isin(drawn), "reason"] = DIVIDED
    if settings.leaks == "keep":
        return
    leaks = _leaks(table)
    others = table["class"][(table.part == "train") & ~table.index.isin(leaks.index)]
    indispensable = ~table["class"][leaks.index].isin(others)
    for row, file in leaks[~divided[leaks.index]].items():
        reason = f"{LEAK}{file} in validation"
        if indispensable[row]:
            table.loc[row, "reason"] += f", though {reason}{INDISPENSABLE}"
        else:
            table.loc[row, ["part", "reason"]] = "", reason


def _group_names(files: pd.Series, groups: np.ndarray) -> np.ndarray:
    """Name each group after its first file; "" for an image that is alone."""
    shared = np.bincount(groups, minlength=len(files))[groups] > 1
    return np.where(shared, files.to_numpy()[groups], "")


def _has_split(images: pd.DataFrame) -> bool:
    return set(PARTS) <= set(images.published)


def _leaks(table: pd.DataFrame) -> pd.Series:
    """Find the training images with near-duplicates in validation: by row, the first file of those."""
    grouped = table[table.group != ""]
    validation = grouped[grouped.part == "validation"].groupby("group").file.min()
    return grouped[grouped.part == "train"].group.map(validation).dropna().astype(str)


def _paths(table: pd.DataFrame) -> list[str]:
    """List the path of each image below data/split, "" if it is in no part."""
    taken: set[str] = set()
    return [_free_path(row, taken) if row["part"] else "" for row in table.to_dict("records")]


def _free_path(row: dict, taken: set[str]) -> str:
    """Add "_" to the file's stem until its path is not among those `taken`, and then add it to them."""
    path = PurePosixPath(row["part"], row["class"], PurePosixPath(row["file"]).name)
    while path.as_posix() in taken:
        path = path.with_stem(path.stem + "_")
    taken.add(path.as_posix())
    return path.as_posix()


def _check_classes(usable: pd.DataFrame, conflicts: int) -> None:
    """Raise SplitError if there are fewer than two classes."""
    names = sorted(usable["class"].unique())
    if len(names) < 2:
        left_out = f", and {conflicts} images that are the same in two classes" if conflicts else ""
        raise SplitError(f"got usable images of {len(names)} classes, {names!r}{left_out}; expected two classes or "
                         "more: see the column `problem` of data/raw.csv, or choose other data")


def _check_parts(table: pd.DataFrame, usable: np.ndarray) -> None:
    """Raise SplitError if a class has no image in one of the parts."""
    for name, rows in table.groupby("class"):
        good = rows[usable[rows.index]]
        conflicts = rows.reason.str.startswith(CONFLICT).sum()
        for part in PARTS:
            if not (good.part == part).any():
                left_out = f", {conflicts} are left out as the same images as in other classes" if conflicts else ""
                remedy = "set split.published to false" if (good.reason == "published").any() else "remove its folder"
                raise SplitError(f"got no image of class {name!r} in {part}: {len(good)} of its {len(rows)} files are "
                                 f"usable{left_out}; expected at least one in each part: add images of that class, or "
                                 f"{remedy}")
