"""Describe the files of a source, and say of each why it cannot be used, if so."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from versus import params
from versus.images import classes, conversion
from versus.images.dataset import PARTS
from versus.images.description import NOT_OPENED, describe
from versus.images.sources.errors import quoted
from versus.images.sources.tree import File
from versus.images.tables import COLUMNS, images_of

LISTED = 10  # kinds of problems in a message


class UnusableImagesError(ValueError):
    """Images of which too few can be used."""


def inspect(root: str | Path, files: Sequence[File]) -> pd.DataFrame:
    """Describe every file of a source whose images were copied to `root`: a DataFrame of COLUMNS.

    Images come first, sorted by `file`, their path below `root`; then the files that are left out, whose `file` and
    `class` are "", sorted by `origin`, the path in the source. `published` is the part in which the source put the
    image, "" if it has no parts. `problem` says why a file cannot be used, and is "" if it can; `conversion` why it has
    to be converted, and `note` what else is worth knowing. `group` is what `data.group_column` says of it. `width` and
    `height` are 0, and `mode` and `format` "", if the file was not opened.
    """
    root = Path(root)
    used = sorted((file for file in files if not file.left_out), key=lambda file: file.target)
    rows = [_place(file) | describe(root / file.target) for file in tqdm(used, "inspect", unit="image", disable=None)]
    rows += [_place(file) | NOT_OPENED | {"sha256": "", "problem": f"left out: {file.left_out}"}
             for file in files if file.left_out]
    return pd.DataFrame(rows, columns=COLUMNS)


def check_usable(table: pd.DataFrame, source: str, split: params.Split) -> None:
    """Raise UnusableImagesError unless `table`, made by `inspect`, has enough usable images of two classes or more.

    `source` is the `data.source` that the images come from.
    """
    usable = table[table.problem == ""]
    problems = classes.problems(zip(usable["class"], usable.published), split)
    if not problems and usable.note.nunique() == 1 and usable.note.iloc[0].startswith(conversion.FLAT):
        problems = [f"got {len(usable):,} images that all show {usable.note.iloc[0]}; expected images with something "
                    "on them: of files with several pages the first is read"]
    if problems:
        raise UnusableImagesError(f"data.source {source!r}: of the images that can be used, " + "\n".join(problems)
                                  + f"\nFiles that cannot be used: {_problems(table)}")


def summary(table: pd.DataFrame) -> str:
    """Say how many images there are, of how many classes, in which parts, and what is special about how many."""
    left_out, table = (table.file == "").sum(), images_of(table)
    parts = table.published.value_counts()
    published = [f"{part} {parts[part]:,}" for part in PARTS if part in parts]
    split = f"published split: {', '.join(published)}" if published else "no published split"
    unusable = table[table.problem != ""]
    lines = [f"{len(table)} images, {table['class'].nunique()} classes, {split}, {len(unusable)} with problems, "
             f"{left_out} other files left out"]
    for title, values in (("not usable", unusable.problem), ("converted on the way to data/split", table.conversion),
                          ("noted", table.note)):
        counts = values[values != ""].value_counts()
        listed = [f"{number:,} {value}" for value, number in counts.head(LISTED).items()]
        if len(counts) > LISTED:
            listed.append(f"{counts[LISTED:].sum():,} others (see data/raw.csv)")
        lines += [f"{title}: {'; '.join(listed)}"] if listed else []
    return "\n".join(lines)


def _problems(table: pd.DataFrame) -> str:
    """List the problems, each with the number of its files and the first of them."""
    unusable = table[(table.problem != "") & (table.file != "")]
    files = unusable.groupby("problem").file.agg(list)
    listed = [f"{len(own):,} {problem} ({quoted(own, 2)})"
              for problem, own in sorted(files.items(), key=lambda each: -len(each[1]))]
    if len(listed) > LISTED:
        listed[LISTED:] = [f"and {len(listed) - LISTED:,} other problems"]
    return "; ".join(listed) or "none"


def _place(file: File) -> dict:
    return {"file": file.target, "published": file.part, "class": file.label, "origin": file.path.as_posix(),
            "group": file.group}
