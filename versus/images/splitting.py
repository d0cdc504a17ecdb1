"""Decide which images are for training and which for validation."""

from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from versus import params
from versus.images.dataset import PARTS

COLUMNS = ("file", "class", "part", "path", "reason", "group")


class SplitError(ValueError):
    """Images that cannot be split; the message says what was got, what was expected and what to do."""


def split(images: pd.DataFrame, groups: np.ndarray, settings: params.Split) -> pd.DataFrame:
    """Assign each image to a part: a DataFrame of COLUMNS, sorted by file; raises SplitError.

    `images` is data/raw.csv. `groups`, (n,) int, holds for each image the index of the first of its group (of
    near-duplicates, or as `data.groups` joins them), its own if it is alone or cannot be used. A published split is
    kept if it has both parts and `settings.published` is set. All other images are drawn: the same share of each class,
    and near-duplicates always into one part.
    """
    table = images[["file", "class"]].reset_index(drop=True)
    table["group"] = _group_names(table.file, groups)
    usable = (images.problem == "").to_numpy()
    _check_classes(table[usable])
    keeps_published = settings.published and _has_split(images[usable])
    published = images.published.to_numpy() if keeps_published else np.full(len(images), "")
    table["part"] = np.where(usable, published, "")
    table["reason"] = np.where(usable, "published", "problem: " + images.problem)
    open_rows = np.flatnonzero(usable & (published == ""))
    table.loc[open_rows, "part"] = _draw(table["class"].to_numpy()[open_rows], np.asarray(groups)[open_rows], settings)
    table.loc[open_rows, "reason"] = "drawn"
    leaks = _leaks(table)
    if settings.leaks == "remove":
        table.loc[leaks.index, "part"] = ""
        table.loc[leaks.index, "reason"] = "same group as " + leaks + " in validation"
    _check_parts(table, usable)
    table["path"] = _paths(table)
    return table[list(COLUMNS)].sort_values("file", ignore_index=True)


def save(table: pd.DataFrame, path: str | Path) -> None:
    """Write what `split` returned as CSV."""
    table.to_csv(path, index=False)


def counts(table: pd.DataFrame, images: pd.DataFrame) -> dict[str, int]:
    """Count images, problems and leaks in `table`, as `split` made it of `images`.

    A leak is a training image with a near-duplicate in validation, whether or not it was removed; it is exact if the
    files have the same bytes.
    """
    part, reason, classes = table.part, table.reason, table["class"]
    removed = reason.str.startswith("same group as ")
    leaked = removed | table.index.isin(_leaks(table).index)
    checksums = table.file.map(images.set_index("file").sha256)
    exact = leaked & checksums.isin(checksums[part == "validation"])
    result = {"classes": classes.nunique(), **{each: (part == each).sum() for each in PARTS},
              "problems": reason.str.startswith("problem: ").sum(),
              "near_duplicate_groups": table.group[table.group != ""].nunique(), "leaks_exact": exact.sum(),
              "leaks_near": (leaked & ~exact).sum(), "leaks_removed": removed.sum()}
    for name in sorted(classes.unique()):
        result |= {f"{each}_{name}": ((part == each) & (classes == name)).sum() for each in PARTS}
    return {key: int(value) for key, value in result.items()}


def median_side(table: pd.DataFrame, images: pd.DataFrame) -> int:
    """Return the median side, in pixels, of the images that `split` put into a part; of a square of the same area."""
    sizes = images.set_index("file").loc[table.file[table.part != ""], ["width", "height"]]
    return int(np.median(np.sqrt(sizes.width * sizes.height)))


def _group_names(files: pd.Series, groups: np.ndarray) -> np.ndarray:
    """Name each group after its first file; "" for an image that is alone."""
    groups = np.asarray(groups)
    shared = np.bincount(groups, minlength=len(files))[groups] > 1
    return np.where(shared, files.to_numpy()[groups], "")


def _has_split(images: pd.DataFrame) -> bool:
    return set(PARTS) <= set(images.published)


def _draw(classes: np.ndarray, groups: np.ndarray, settings: params.Split) -> np.ndarray:
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


def _check_classes(usable: pd.DataFrame) -> None:
    """Raise SplitError if there are fewer than two classes."""
    names = sorted(usable["class"].unique())
    if len(names) < 2:
        raise SplitError(f"got usable images of {len(names)} classes, {names!r}; expected two classes or more: see "
                         "the column `problem` of data/raw.csv, or choose other data")


def _check_parts(table: pd.DataFrame, usable: np.ndarray) -> None:
    """Raise SplitError if a class has no image in one of the parts."""
    for name, rows in table.groupby("class"):
        good = rows[usable[rows.index]]
        for part in PARTS:
            if not (good.part == part).any():
                raise SplitError(f"got no image of class {name!r} in {part}: {len(good)} of its {len(rows)} files are "
                                 f"usable, {_count_groups(good)} if near-duplicates count once; expected at least one "
                                 f"in each part: add images of that class, {_remedy(good)}")


def _count_groups(rows: pd.DataFrame) -> int:
    """Count images, near-duplicates as one."""
    return rows.group[rows.group != ""].nunique() + (rows.group == "").sum()


def _remedy(rows: pd.DataFrame) -> str:
    if rows.reason.str.startswith("same group as ").any():
        return "or set split.leaks to keep or split.published to false"
    return "or set split.published to false" if (rows.reason == "published").any() else "or remove its folder"
