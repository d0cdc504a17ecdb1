"""A table of labels: a CSV file with a column of files and one of classes, as many public data sets have it."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from versus import params
from versus.images.sources.errors import SourceError, quoted
from versus.images.sources.names import PART_WORDS, composed
from versus.images.sources.tree import File

SUFFIXES = {".csv", ".tsv", ".txt"}
SAMPLE = 200         # rows by which the column of files is recognised
MOST_CLASSES = 1000
CLASS_WORDS = {"class", "classes", "label", "labels", "category", "target", "breed", "species", "diagnosis", "dx", "y",
               "class_name", "label_name", "classname", "labelname", "class_label", "finding", "grade"}


class _Names:
    """The images by every name that a table may call them by: path, end of the path, name, all with suffix or not."""

    def __init__(self, images: Sequence[PurePosixPath]):
        self.images: dict[str, list[PurePosixPath]] = {}
        for image in images:
            ends = [PurePosixPath(*image.parts[k:]) for k in range(len(image.parts))]
            for name in {str(each) for end in ends for each in (end, end.with_suffix(""))}:
                self.images.setdefault(composed(name), []).append(image)

    def of(self, value: str) -> list[PurePosixPath]:
        """Return the images that `value` may mean; folders in front that we do not have are ignored."""
        parts = PurePosixPath(composed(value.strip().replace("\\", "/"))).parts
        for k in range(len(parts)):
            if images := self.images.get("/".join(parts[k:])):
                return images
        return []


def find_tables(root: Path, images: Sequence[PurePosixPath], files: Sequence[PurePosixPath]) -> list[PurePosixPath]:
    """List those of `files` that are tables with a column of names of `images`."""
    names, tables = _Names(images), []
    for path in files:
        if path.suffix.lower() in SUFFIXES and (root / path).stat().st_size < 2**28:
            try:
                table = _read(root / path)
                _column_of_files(table, names)
            except SourceError:
                continue
            if len(table.columns) > 1:
                tables.append(path)
    return tables


def hint(tables: Sequence[PurePosixPath]) -> str:
    """Say what to do with the tables in a folder of images, or without one."""
    if tables:
        return (f"If {quoted(tables)} has the classes, set data.labels to {str(tables[0])!r}; else move the images of "
                "each class into a folder named after it")
    return ("If a CSV file has the classes, put it into the folder and set data.labels to its name; else move the "
            "images of each class into a folder named after it")


def read_table(root: Path, settings: params.Data, images: Sequence[PurePosixPath]) -> tuple[list[File], list[str]]:
    """Give the images their classes by the table `data.labels`; return a row for each image, and notes.

    `data.file_column` and `data.class_column` are its columns, "" where they are recognised by their content, and
    `data.group_column` the one of what images have in common, "" where there is none.
    """
    path = _path(root, settings.labels)
    table, names = _read(path), _Names(images)
    groups = _groups(table, settings.group_column, path)
    file = _named(table, settings.file_column, "data.file_column", path) or _column_of_files(table, names)
    others = [column for column in table if column not in (file, settings.group_column)]
    classes, column = _classes(table, others, settings.class_column, path)
    parts = _parts(table, others)
    labels: dict[PurePosixPath, set[tuple[str, str, str]]] = {}
    missing, several = [], {}
    for row, value in enumerate(table[file]):
        meant = names.of(value)
        if len(meant) > 1:
            several[value] = meant
        elif not meant:
            missing.append(value)
        elif classes[row]:
            labels.setdefault(meant[0], set()).add((composed(classes[row]), parts[row], groups[row]))
    if several:
        value = min(several)
        raise SourceError(f"data.labels: {str(path)!r} names {len(several):,} files of which there are several, such "
                          f"as {value!r}: {quoted(several[value])}; expected one each: remove copies, or write the "
                          "folders into the table")
    files = []
    for image in images:
        own = labels.get(image, set())
        if len(own) == 1:
            (label, part, group), = own
            files.append(File(image, label, part, group=group))
        else:
            what = "classes" if len({label for label, _, _ in own}) > 1 else "parts or groups"
            reason = f"in the table with several {what}" if own else "unlabelled: not in the table of labels"
            files.append(File(image, left_out=reason))
    notes = [f"labels: column {column} of {path.name!r}, files by column {file!r}"]
    if settings.group_column:
        distinct = Counter(file.group for file in files if file.group)
        if len(distinct) < 2:
            raise SourceError(f"data.group_column: got {settings.group_column!r}, in which all images have "
                              f"{quoted(distinct) or 'nothing'}; expected two values or more, such as the names of "
                              "patients: name another column, or none")
        notes.append(f"groups: column {settings.group_column!r}, {len(distinct):,} of {distinct.total():,} images")
    if missing:
        notes.append(f"rows of the table without an image: {len(missing):,} ({quoted(missing, 2)})")
    return files, notes


def _path(root: Path, name: str) -> Path:
    """Find the table in the source, by its path there or by its name alone."""
    if (root / name).is_file():
        path = (root / name).resolve()
        if path.is_relative_to(root.resolve()):
            return root / name
    matching = sorted(root.rglob(PurePosixPath(name).name))
    if len(matching) != 1:
        raise SourceError(f"data.labels: got {name!r}, of which there are {len(matching)} in {str(root)!r}; expected "
                          "the path of a CSV file in the folder of the images: DVC looks there for changes")
    return matching[0]


def _read(path: Path) -> pd.DataFrame:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        text = path.read_bytes().decode("latin-1")
    try:
        table = pd.read_csv(io.StringIO(text), sep=None, engine="python", dtype=str, keep_default_na=False)
    except (ValueError, csv.Error) as error:
        raise SourceError(f"data.labels: got {str(path)!r}, which is no table ({error}); expected a CSV file with a "
                          "header, a column of files and one of classes") from None
    return table.fillna("").astype(str)


def _named(table: pd.DataFrame, name: str, key: str, path: Path) -> str:
    """Return the column that params.yaml names, "" if it names none."""
    if name and name not in table:
        raise SourceError(f"{key}: got {name!r}; expected a column of {str(path)!r}: {quoted(table.columns, 20)}")
    return name


def _groups(table: pd.DataFrame, group_column: str, path: Path) -> list[str]:
    """Return what `data.group_column` says in each row, "" where there is no such column or it is empty."""
    if not _named(table, group_column, "data.group_column", path):
        return [""] * len(table)
    return [value.strip() for value in table[group_column]]


def _column_of_files(table: pd.DataFrame, names: _Names) -> str:
    """Return the column most of whose values are names of images."""
    step = max(1, len(table) // SAMPLE)
    shares = {column: sum(bool(names.of(value)) for value in table[column][::step]) for column in table}
    best = max(shares.values(), default=0)
    columns = [column for column, share in shares.items() if share == best]
    if not best:
        raise SourceError("data.labels: got a table without a column that names the images; expected one with their "
                          "names or paths, with or without suffix")
    distinct = {column: table[column].nunique() for column in columns}
    columns = [column for column in columns if distinct[column] == max(distinct.values())]
    if len(columns) > 1:
        raise SourceError(f"data.labels: got several columns that name the images, {quoted(columns)}; set "
                          "data.file_column to one of them")
    return columns[0]


def _classes(table: pd.DataFrame, others: list[str], class_column: str, path: Path) -> tuple[list[str], str]:
    """Return the class of each row, "" where it has none, and the name of the column in words.

    `others` are the columns of which nothing else is known.
    """
    if column := _named(table, class_column, "data.class_column", path):
        return [value.strip() for value in table[column]], repr(column)
    if len(flags := [column for column in others if set(table[column]) <= {"0", "1", "0.0", "1.0"}]) > 1:
        values = table[flags].astype(float)
        if (values.sum(axis=1) == 1).all():
            return list(values.idxmax(axis=1)), f"with a 1 among {quoted(flags, 10)}"
    candidates = [column for column in others if _may_be_classes(table[column])
                  and not set(table[column].str.lower()) <= PART_WORDS.keys()]
    known = [column for column in candidates if column.strip().lower() in CLASS_WORDS]
    if len(candidates) != 1 and len(known) != 1:
        counts = {column: table[column].nunique() for column in candidates or others}
        listed = ", ".join(f"{column!r} ({number:,} values)" for column, number in list(counts.items())[:20])
        raise SourceError(f"data.labels: got {str(path)!r}, in which {len(candidates)} columns may be the classes; set "
                          f"data.class_column to one of {listed}")
    column = candidates[0] if len(candidates) == 1 else known[0]
    return [value.strip() for value in table[column]], repr(column)


def _may_be_classes(values: pd.Series) -> bool:
    """Say whether a column may hold classes: two or more, each twice on average."""
    counts = Counter(value for value in values if value.strip())
    return 2 <= len(counts) <= min(MOST_CLASSES, len(values) // 2)


def _parts(table: pd.DataFrame, others: list[str]) -> list[str]:
    """Return the part of each row, if one column of `others` says nothing else; else ""."""
    for column in others:
        values = table[column].str.strip().str.lower()
        if set(values) <= PART_WORDS.keys() and len({PART_WORDS[value] for value in values}) > 1:
            return [PART_WORDS[value] for value in values]
    return [""] * len(table)
