"""Decide which images are for training, which for validation, and which for the test, if there is one."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from versus import params
from versus.images.classes import keeps_published, parts_to_draw
from versus.images.conversion import plain_name
from versus.images.dataset import PARTS
from versus.images.drawing import draw

if TYPE_CHECKING:  # what finds them takes seconds to load, which nobody needs who only reads counts
    from versus.images.duplicates import Duplicates

FEW = 30  # images of a part: their accuracy is uncertain by 0.1 and more
COLUMNS = ("file", "class", "part", "path", "reason", "group")
# how reasons begin
PROBLEM, CONFLICT, LEAK = "problem: ", "label conflict: the same image as ", "same group as "
DIVIDED = "drawn inside a group: a class of it cannot be split otherwise"
# how one ends
INDISPENSABLE = ": its class has no other images in its part"


class SplitError(ValueError):
    """Images that cannot be split; the message says what was got, what was expected and what to do."""


def split(images: pd.DataFrame, duplicates: Duplicates, settings: params.Split) -> pd.DataFrame:
    """Assign each image to a part: a DataFrame of COLUMNS, sorted by file; raises SplitError.

    `images` are those of data/raw.csv, `duplicates` their groups (of near-duplicates, or as `data.groups` joins them);
    an image that cannot be used is alone. A published split is kept if it has a training part and another one and
    `settings.published` is set; what it lacks is drawn from its training images. All other images are drawn: the same
    share of each class, and each group into one part, unless a class cannot be split otherwise. The same image in two
    classes is in no part: one label is wrong, and nobody knows which.
    """
    table = images[["file", "class"]].reset_index(drop=True)
    table["group"] = _group_names(table.file, duplicates.near)
    conflicts = _conflicts(table, duplicates.same)
    usable = (images.problem == "").to_numpy() & ~table.index.isin(conflicts.index)
    _check_classes(table[usable], len(conflicts))
    published = images.published[usable]
    table["part"] = np.where(usable, images.published if keeps_published(published, settings) else "", "")
    table["reason"] = np.where(usable, "published", PROBLEM + images.problem)
    table.loc[conflicts.index, "reason"] = CONFLICT + conflicts
    _draw_parts(table, usable, duplicates, parts_to_draw(published, settings), settings)
    _settle_leaks(table, settings)
    _check_parts(table, usable)
    table["name"] = [plain_name(PurePosixPath(row.file).name, row.format, row.conversion != "") if row.problem == ""
                     else "" for row in images.itertuples()]
    table["path"] = _paths(table)
    return table[list(COLUMNS)].sort_values("file", ignore_index=True)


def counts(table: pd.DataFrame, images: pd.DataFrame) -> dict[str, int]:
    """Count images, problems and leaks in `table`, as `split` made it of `images`; a test part only if there is one.

    A leak is an image with a near-duplicate in a later one of PARTS, whether or not it was removed; it is exact if the
    files have the same bytes. It is unavoidable if a class could not be split otherwise.
    """
    part, reason, classes = table.part, table.reason, table["class"]
    removed = reason.str.startswith(LEAK)
    leaked = removed | table.index.isin(_leaks(table).index)
    checksums = table.file.map(images.set_index("file").sha256)
    exact = leaked & checksums.isin(checksums[part.isin(PARTS[1:])])
    parts = [each for each in PARTS if each != "test" or (part == each).any()]
    result = {"classes": classes.nunique(), **{each: (part == each).sum() for each in parts},
              "problems": reason.str.startswith(PROBLEM).sum(),
              "label_conflicts": reason.str.startswith(CONFLICT).sum(),
              "near_duplicate_groups": table.group[table.group != ""].nunique(), "leaks_exact": exact.sum(),
              "leaks_near": (leaked & ~exact).sum(), "leaks_removed": removed.sum(),
              "leaks_unavoidable": (leaked & ((reason == DIVIDED) | reason.str.endswith(INDISPENSABLE))).sum()}
    for name in sorted(classes.unique()):
        result |= {f"{each}_{name}": ((part == each) & (classes == name)).sum() for each in parts}
    return {key: int(value) for key, value in result.items()}


def remaining_leaks(counts: dict[str, int]) -> int:
    """Return how many images are used although a later part has near-duplicates of them, from `counts`."""
    return counts["leaks_exact"] + counts["leaks_near"] - counts["leaks_removed"]


def median_side(table: pd.DataFrame, images: pd.DataFrame) -> int:
    """Return the median side, in pixels, of the images that `split` put into a part; of a square of the same area."""
    sizes = images.set_index("file").loc[table.file[table.part != ""], ["width", "height"]]
    return int(np.median(np.sqrt(sizes.width * sizes.height)))


def summary(counts: dict[str, int]) -> str:
    """Say in a line or more what `counts` returned: the parts, what was left out, and what could not be kept apart."""
    tested = "test" in counts
    parts = "{train} training, {validation} validation and {test} test" if tested else \
        "{train} training and {validation} validation"
    earlier, later, have = ("training and validation", "validation and test", "have") if tested else \
        ("training", "validation", "has")
    lines = [parts + " images of {classes} classes. Copies of " + later + " images among the " + earlier + " images: "
             "{leaks_exact}; near-duplicates: {leaks_near}; removed: {leaks_removed}. Files with problems: {problems}"]
    if counts["leaks_unavoidable"]:
        lines.append("{leaks_unavoidable} " + earlier + " images stay although " + later + f" {have} near-duplicates "
                     "of them: their classes cannot be split otherwise (`reason` in data/split.csv). Expect lower "
                     "accuracy on new images than on these")
    if counts["label_conflicts"]:
        lines.append("{label_conflicts} images are left out, since the same image is in another class (`reason` in "
                     "data/split.csv): remove the wrong ones to use the others")
    lines += [f"Only {counts[part]} {part} images: what is measured on them says little (split, compare.part)"
              for part in PARTS[1:] if counts.get(part, FEW) < FEW]
    return "\n".join(lines).format(**counts)


def _group_names(files: pd.Series, groups: np.ndarray) -> np.ndarray:
    """Name each group after its first file; "" for an image that is alone."""
    shared = np.bincount(groups, minlength=len(files))[groups] > 1
    return np.where(shared, files.to_numpy()[groups], "")


def _conflicts(table: pd.DataFrame, same: np.ndarray) -> pd.Series:
    """Find the images that show the same as one of another class: by row, that one's file."""
    groups = table.groupby(same)
    rows = table.index[groups["class"].transform("nunique") > 1]
    others = [members[members["class"] != table["class"][row]].file.min() for row in rows
              for members in [groups.get_group(same[row])]]
    return pd.Series(others, rows, str)


def _draw_parts(table: pd.DataFrame, usable: np.ndarray, duplicates: Duplicates, missing: list[str],
                settings: params.Split) -> None:
    """Draw the `missing` parts from the training images, and a part for the images that have none, in `table`."""
    without = usable & (table.part == "").to_numpy()
    pool = without | usable & (table.part == "train").to_numpy() if missing else without
    table.loc[without, "part"] = "train"
    table.loc[pool, "reason"] = "drawn"
    share = {"validation": settings.validation, "test": settings.test}
    if "validation" in missing:  # the validation images have left the pool when those of the test are drawn
        share["test"] /= 1 - settings.validation
    drawn = rows = np.flatnonzero(pool)
    for stream, part in enumerate(missing or (["validation"] if without.any() else [])):
        accepted = draw(table.iloc[rows], duplicates.near[rows], duplicates.same[rows], share[part],
                        [settings.seed, stream] if stream else settings.seed)
        table.loc[rows[accepted], "part"] = part
        rows = rows[~accepted]
    in_several = table.iloc[drawn].groupby("group").part.nunique() > 1
    divided = table.group.isin(in_several.index[in_several]) & (table.group != "")
    table.loc[divided & table.index.isin(drawn), "reason"] = DIVIDED


def _settle_leaks(table: pd.DataFrame, settings: params.Split) -> None:
    """Remove images with near-duplicates in a later part, but for those without which a class cannot be split.

    Sets `part` and `reason`.
    """
    if settings.leaks == "keep":
        return
    leaks = _leaks(table)
    rest = table[(table.part != "") & ~table.index.isin(leaks.index)]
    others = set(zip(rest["class"], rest.part))
    divided = set(table.group[table.reason == DIVIDED])
    for row, file in leaks.items():
        label, part, group = table.loc[row, ["class", "part", "group"]]
        if group in divided:
            continue
        if (label, part) not in others:
            table.loc[row, "reason"] += f", though {LEAK}{file}{INDISPENSABLE}"
        else:
            table.loc[row, ["part", "reason"]] = "", LEAK + file


def _leaks(table: pd.DataFrame) -> pd.Series:
    """Find the images with near-duplicates in a later one of PARTS: by row, the first file of those and its part."""
    grouped = table[table.group != ""]
    leaks = pd.Series("", grouped.index, dtype=object)
    for later in range(1, len(PARTS)):  # of two later parts the last one counts
        of_part = grouped[grouped.part == PARTS[later]].groupby("group").file.min()
        duplicates = grouped[grouped.part.isin(PARTS[:later])].group.map(of_part).dropna()
        leaks[duplicates.index] = duplicates.astype(str) + f" in {PARTS[later]}"
    return leaks[leaks != ""]


def _paths(table: pd.DataFrame) -> list[str]:
    """List the path of each image below data/split, "" if it is in no part."""
    taken: set[str] = set()
    return [_free_path(row, taken) if row["part"] else "" for row in table.to_dict("records")]


def _free_path(row: dict, taken: set[str]) -> str:
    """Add "_" to the file's stem until its path is not among those `taken`, and then add it to them."""
    path = PurePosixPath(row["part"], row["class"], row["name"])
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
    """Raise SplitError if classes have no image in one of the parts; it names them all."""
    parts = [part for part in PARTS if part != "test" or (table.part == part).any()]
    problems = []
    for name, rows in table.groupby("class"):
        good = rows[usable[rows.index]]
        if lacking := [part for part in parts if not (good.part == part).any()]:
            conflicts = rows.reason.str.startswith(CONFLICT).sum()
            left_out = f", {conflicts} are left out as the same images as in other classes" if conflicts else ""
            remedy = "set split.published to false" if (good.reason == "published").any() else "remove its folder"
            problems.append(f"got no image of class {name!r} in {' and '.join(lacking)}: {len(good)} of its "
                            f"{len(rows)} files are usable{left_out}; expected at least one in each part: add images "
                            f"of that class, or {remedy}")
    if problems:
        raise SplitError("\n".join(problems))
