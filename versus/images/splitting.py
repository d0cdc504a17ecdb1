"""Decide which images are for training, which for validation, and which for the test, if there is one."""

from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from versus import params
from versus.images.classes import keeps_published, parts_to_draw
from versus.images.conversion import plain_name
from versus.images.dataset import PARTS

FEW = 30  # images of a part: their accuracy is uncertain by 0.1 and more
COLUMNS = ("file", "class", "part", "path", "reason", "group")


class SplitError(ValueError):
    """Images that cannot be split; the message says what was got, what was expected and what to do."""


def split(images: pd.DataFrame, groups: np.ndarray, settings: params.Split) -> pd.DataFrame:
    """Assign each image to a part: a DataFrame of COLUMNS, sorted by file; raises SplitError.

    `images` are those of data/raw.csv. `groups`, (n,) int, holds for each image the index of the first of its group (of
    near-duplicates, or as `data.groups` joins them), its own if it is alone or cannot be used. A published split is
    kept if it has a training part and another one and `settings.published` is set; what it lacks is drawn from its
    training images. All other images are drawn: the same share of each class, and groups always into one part.
    """
    table = images[["file", "class"]].reset_index(drop=True)
    table["group"] = _group_names(table.file, groups)
    usable = (images.problem == "").to_numpy()
    _check_classes(table[usable])
    keeps = keeps_published(images.published[usable], settings)
    table["part"] = np.where(usable, images.published if keeps else "", "")
    table["reason"] = np.where(usable, "published", "problem: " + images.problem)
    _draw_parts(table, usable, np.asarray(groups), parts_to_draw(images.published[usable], settings), settings)
    leaks = _leaks(table)
    if settings.leaks == "remove":
        table.loc[leaks.index, "part"] = ""
        table.loc[leaks.index, "reason"] = "same group as " + leaks
    _check_parts(table, usable)
    table["name"] = [plain_name(PurePosixPath(row.file).name, row.format, row.conversion != "") if row.problem == ""
                     else "" for row in images.itertuples()]
    table["path"] = _paths(table)
    return table[list(COLUMNS)].sort_values("file", ignore_index=True)


def save(table: pd.DataFrame, path: str | Path) -> None:
    """Write what `split` returned as CSV."""
    table.to_csv(path, index=False)


def counts(table: pd.DataFrame, images: pd.DataFrame) -> dict[str, int]:
    """Count images, problems and leaks in `table`, as `split` made it of `images`; a test part only if there is one.

    A leak is an image with a near-duplicate in a later one of PARTS, whether or not it was removed; it is exact if the
    files have the same bytes.
    """
    part, reason, classes = table.part, table.reason, table["class"]
    removed = reason.str.startswith("same group as ")
    leaked = removed | table.index.isin(_leaks(table).index)
    checksums = table.file.map(images.set_index("file").sha256)
    exact = leaked & checksums.isin(checksums[part.isin(PARTS[1:])])
    parts = [each for each in PARTS if each != "test" or (part == each).any()]
    result = {"classes": classes.nunique(), **{each: (part == each).sum() for each in parts},
              "problems": reason.str.startswith("problem: ").sum(),
              "near_duplicate_groups": table.group[table.group != ""].nunique(), "leaks_exact": exact.sum(),
              "leaks_near": (leaked & ~exact).sum(), "leaks_removed": removed.sum()}
    for name in sorted(classes.unique()):
        result |= {f"{each}_{name}": ((part == each) & (classes == name)).sum() for each in parts}
    return {key: int(value) for key, value in result.items()}


def median_side(table: pd.DataFrame, images: pd.DataFrame) -> int:
    """Return the median side, in pixels, of the images that `split` put into a part; of a square of the same area."""
    sizes = images.set_index("file").loc[table.file[table.part != ""], ["width", "height"]]
    return int(np.median(np.sqrt(sizes.width * sizes.height)))


def summary(counts: dict[str, int]) -> str:
    """Say in a line what `counts` returned."""
    parts = "{train} training, {validation} validation and {test} test" if "test" in counts else \
        "{train} training and {validation} validation"
    few = "".join(f"\nOnly {counts[part]} {part} images: what is measured on them says little (split, compare.part)"
                  for part in PARTS[1:] if counts.get(part, FEW) < FEW)
    later = "validation and test" if "test" in counts else "validation"
    return (parts + " images of {classes} classes; {leaks_removed} training images removed of {leaks_exact} copies and "
            "{leaks_near} near-duplicates of " + later + " images; {problems} with problems").format(**counts) + few


def _group_names(files: pd.Series, groups: np.ndarray) -> np.ndarray:
    """Name each group after its first file; "" for an image that is alone."""
    groups = np.asarray(groups)
    shared = np.bincount(groups, minlength=len(files))[groups] > 1
    return np.where(shared, files.to_numpy()[groups], "")


def _draw_parts(table: pd.DataFrame, usable: np.ndarray, groups: np.ndarray, missing: list[str],
                settings: params.Split) -> None:
    """Draw the `missing` parts from the training images, and a part for the images that have none, in `table`."""
    without = usable & (table.part == "").to_numpy()
    pool = without | usable & (table.part == "train").to_numpy() if missing else without
    table.loc[without, "part"] = "train"
    table.loc[pool, "reason"] = "drawn"
    share = {"validation": settings.validation, "test": settings.test}
    if "validation" in missing:  # the validation images have left the pool when those of the test are drawn
        share["test"] /= 1 - settings.validation
    rows = np.flatnonzero(pool)
    for stream, part in enumerate(missing or (["validation"] if without.any() else [])):
        drawn = _draw(table["class"].to_numpy()[rows], groups[rows], share[part],
                      np.random.default_rng([settings.seed, stream] if stream else settings.seed))
        table.loc[rows[drawn], "part"] = part
        rows = rows[~drawn]


def _draw(classes: np.ndarray, groups: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Draw `share` of each class, or the nearest that groups allow: which images are drawn, (n,) bool.

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


def _check_classes(usable: pd.DataFrame) -> None:
    """Raise SplitError if there are fewer than two classes."""
    names = sorted(usable["class"].unique())
    if len(names) < 2:
        raise SplitError(f"got usable images of {len(names)} classes, {names!r}; expected two classes or more: see "
                         "the column `problem` of data/raw.csv, or choose other data")


def _check_parts(table: pd.DataFrame, usable: np.ndarray) -> None:
    """Raise SplitError if classes have no image in one of the parts; it names them all."""
    parts = [part for part in PARTS if part != "test" or (table.part == part).any()]
    problems = []
    for name, rows in table.groupby("class"):
        good = rows[usable[rows.index]]
        if lacking := [part for part in parts if not (good.part == part).any()]:
            problems.append(f"got no image of class {name!r} in {' and '.join(lacking)}: {len(good)} of its "
                            f"{len(rows)} files are usable, {_count_groups(good)} if near-duplicates count once; "
                            f"expected at least one in each part: add images of that class, {_remedy(good)}")
    if problems:
        raise SplitError("\n".join(problems))


def _count_groups(rows: pd.DataFrame) -> int:
    """Count images, near-duplicates as one."""
    return rows.group[rows.group != ""].nunique() + (rows.group == "").sum()


def _remedy(rows: pd.DataFrame) -> str:
    if rows.reason.str.startswith("same group as ").any():
        return "or set split.leaks to keep or split.published to false"
    return "or set split.published to false" if (rows.reason == "published").any() else "or remove its folder"
