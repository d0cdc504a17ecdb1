"""The rows of a CSV file of predictions: its columns, and what is wrong with them.

They are read a few at a time, so that memory stays near the size of the numbers: as text, those take ten times as much.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, TextIO

import numpy as np
import pandas as pd

from versus.artifacts.predictions import SUM_TOLERANCE, PredictionsError, some

COLUMNS = ("seed", "file", "class")
UNIT = "unit"  # a further column, which may be missing
# columns instead of one for each class, where the probabilities are in an array of NumPy's: see `predictions_csv`
PREDICTED, PROBABILITIES, CLASSES = "predicted", ("predicted_probability", "class_probability"), "classes"
SHOWN = 10  # problems, or names in one of them, that an error lists
EXPECTED = "expected predictions as CSV in UTF-8 with the columns seed, file, class and p_<class>"
HELD = 200_000  # fields that are held as text at a time
LONGEST = 100_000_000  # characters of a field: the names of all classes are one


class Problems:
    """What is wrong with a file: the first problems, and how many there are."""

    def __init__(self, path: str | Path):
        self.path, self.first, self.number = path, list[str](), 0

    def add(self, problems: Iterable[str]) -> None:
        for problem in problems:
            self.number += 1
            if self.number <= SHOWN:
                self.first.append(problem)

    def refuse(self) -> None:
        """Raise PredictionsError if there are any."""
        if self.number:
            others = self.number - len(self.first)
            more = [f"and {others:,} more {'problem' if others == 1 else 'problems'} of this file"] if others else []
            raise PredictionsError("\n".join(f"{self.path}: {problem}" for problem in self.first + more)
                                   + "\nCorrect the file. If `dvc repro` wrote it, run `dvc repro --force` to write it "
                                   "again")


@dataclass(frozen=True)
class Rows:
    """The rows in the order of the file."""

    class_names: tuple[str, ...]
    short: bool                   # whether they have PROBABILITIES instead of those of all classes
    lines: np.ndarray             # (rows,) int, the line of the file on which each starts
    texts: dict[str, np.ndarray]  # the other columns by name, (rows,) str each
    numbers: np.ndarray           # (rows, classes) float64, or (rows, 2) if short
    problems: Problems            # of single rows


def read(file: BinaryIO, path: str | Path) -> Rows:
    """Read the rows of a CSV file; errors name it `path`. Raises PredictionsError if it has no such rows at all."""
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
    try:
        return _read(text, path)
    except UnicodeDecodeError:
        raise PredictionsError(f"{path}: {_not_utf_8(file)}; {EXPECTED}: save it as 'CSV UTF-8'") from None
    finally:
        text.detach()  # the file is the caller's to close


def _not_utf_8(file: BinaryIO) -> str:
    """Say which byte of a file is the first that is not UTF-8."""
    file.seek(0)
    data = file.read()
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return f"line {line}: got the byte {data[error.start]:#04x}, which is not UTF-8"
    return "got other bytes than a moment before"


def _read(text: TextIO, path: str | Path) -> Rows:
    records, problems, ragged = _records(text, path), Problems(path), Problems(path)
    first_line, header = next(records, (1, []))
    first = list(islice(records, 1))
    problems.add(_problems_of_columns(header, len(first)))
    problems.refuse()
    names = tuple(column.removeprefix("p_") for column in header if column.startswith("p_"))
    short = not names
    if short:
        names = _listed_classes(dict(zip(header, first[0][1])), first[0][0], problems)
    table = _Table(header, names, short)
    for batch in _batches(chain(first, records), max(HELD // len(header), 1)):
        ragged.add(f"line {line}: got {len(record)} fields; expected {len(header)}, as in line {first_line}"
                   for line, record in batch if len(record) != len(header))
        if not ragged.number:
            problems.add(table.add(batch))
    ragged.refuse()
    texts = {column: np.array(values, object) for column, values in table.texts.items()}
    return Rows(names, short, np.concatenate(table.lines), texts, np.concatenate(table.numbers), problems)


def _batches(records: Iterable[tuple[int, list[str]]], size: int) -> Iterator[list[tuple[int, list[str]]]]:
    iterator = iter(records)
    while batch := list(islice(iterator, size)):
        yield batch


def _records(text: TextIO, path: str | Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the records of a CSV file, each with the line on which it starts. Blank lines are left out."""
    end = 0  # last line of the record before: a field in quotes can hold several lines
    csv.field_size_limit(LONGEST)
    try:
        reader = csv.reader(text, strict=True)
        for record in reader:
            if record:
                yield end + 1, record
            end = reader.line_num
    except csv.Error as error:
        problems = Problems(path)
        problems.add([f"line {end + 1}: got a row that is not CSV ({error}); expected fields separated by commas, in "
                      "double quotes if they hold a comma, a quote or a line break, and a quote inside doubled"])
        problems.refuse()


def _problems_of_columns(header: list[str], rows: int) -> Iterator[str]:
    """Yield what is wrong with the columns, and whether there are no rows below them."""
    if not header:
        yield "got an empty file; expected a line with the columns seed, file, class and p_<class> for each class"
        return
    if len(header) == 1 and (separators := [separator for separator in ";\t|" if separator in header[0]]):
        yield (f"line 1: got columns separated by {separators[0]!r}; expected commas, and decimal points in the "
               "probabilities: save the file with another separator")
        return
    for column in COLUMNS:
        if column not in header:
            yield (f"line 1: got no column {column!r} among {some(header, most=SHOWN)}; expected seed, file, class and "
                   "p_<class> for each class")
    names = [column for column in header if column.startswith("p_")]
    instead = (PREDICTED, *PROBABILITIES, CLASSES)
    short = not names and CLASSES in header
    for column in dict.fromkeys((*COLUMNS, UNIT, *names, *(instead if short else ()))):
        if header.count(column) > 1:
            yield f"line 1: got the column {column!r} {header.count(column)} times; expected it once"
    if short:
        if missing := [column for column in instead if column not in header]:
            yield (f"line 1: got no column p_<class> and no column {some(missing)}; expected one column p_<class> for "
                   f"each class, or all of {some(instead, most=SHOWN)}")
    elif len(set(names)) < 2:
        yield (f"line 1: got {len(set(names))} columns p_<class>; expected at least two, one for each class: for two "
               "classes the probabilities of both")
    if rows < 1:
        yield "got no rows; expected one for each seed and image"


def _listed_classes(row: dict[str, str], line: int, problems: Problems) -> tuple[str, ...]:
    """Return the names of all classes, which the first row lists."""
    text = row.get(CLASSES, "")
    try:
        names = json.loads(text)
    except ValueError:
        names = None
    if (not isinstance(names, list) or not all(isinstance(name, str) for name in names)
            or not 2 <= len(names) == len(set(names))):
        problems.add([f"line {line}, column {CLASSES!r}: got {text[:100]!r}; expected the names of all classes, in the "
                      'order of the array, as a list in JSON: ["alien", "predator"]'])
        problems.refuse()
    return tuple(names)


class _Table:
    """The columns that are used of a file, a batch of records after the other."""

    def __init__(self, header: list[str], class_names: tuple[str, ...], short: bool):
        self.lines: list[np.ndarray] = []
        self.texts: dict[str, list[str]] = {column: [] for column in header if column in (*COLUMNS, UNIT, "part")
                                            or short and column == PREDICTED}
        self.numbers: list[np.ndarray] = []
        self._header, self._short, self._names = header, short, dict.fromkeys(class_names)
        self._columns = list(PROBABILITIES) if short else [f"p_{name}" for name in class_names]
        self._places = [header.index(column) for column in self._columns]
        self._known: dict[str, str] = {}  # one object for equal texts
        self._whole: dict[str, bool] = {}  # by the text of a seed

    def add(self, batch: list[tuple[int, list[str]]]) -> Iterator[str]:
        """Add records with the lines on which they start; yield what is wrong with them."""
        fields = np.array([record[place] for _, record in batch for place in self._places], object)
        values = np.asarray(pd.to_numeric(fields, errors="coerce"), float).reshape(len(batch), -1)
        self.numbers.append(values)
        self.lines.append(np.array([line for line, _ in batch]))
        own = {}
        for column, texts in self.texts.items():
            place = self._header.index(column)
            own[column] = [self._known.setdefault(record[place], record[place]) for _, record in batch]
            texts += own[column]
        return self._problems([f"line {line}" for line, _ in batch], own, fields.reshape(values.shape), values)

    def _problems(self, lines: list[str], texts: dict[str, list[str]], fields: np.ndarray,
                  values: np.ndarray) -> Iterator[str]:
        """Yield what is wrong with single rows; `fields` (rows, columns) are the texts of `values`."""
        for text in set(texts["seed"]) - self._whole.keys():
            number = float(pd.to_numeric(np.array([text], object), errors="coerce")[0])
            self._whole[text] = number.is_integer()
        not_whole = np.array([not self._whole[text] for text in texts["seed"]])
        named = ["class", PREDICTED] if self._short else ["class"]
        unknown = np.array([[text not in self._names for text in texts[column]] for column in named])
        outside = ~((values >= 0) & (values <= 1 + SUM_TOLERANCE))  # NaN included
        wrong_sum = ~outside.any(axis=1) & (np.abs(values.sum(axis=1) - 1) > SUM_TOLERANCE) & (not self._short)
        for i in np.flatnonzero(not_whole | unknown.any(axis=0) | outside.any(axis=1) | wrong_sum):
            if not_whole[i]:
                yield f"{lines[i]}, column 'seed': got {texts['seed'][i]!r}; expected a whole number"
            for column in (column for column, of_column in zip(named, unknown) if of_column[i]):
                missing = "is none of the classes" if self._short else "has no column p_<class>"
                yield (f"{lines[i]}, column {column!r}: got {texts[column][i]!r}, which {missing}; expected one of "
                       f"{some([*self._names], most=SHOWN)}")
            for place in np.flatnonzero(outside[i]):
                yield (f"{lines[i]}, column {self._columns[place]!r}: got {fields[i, place]!r}; expected a probability "
                       "from 0 to 1")
            if wrong_sum[i]:
                yield (f"{lines[i]}, columns {self._columns[0]!r} to {self._columns[-1]!r}: got probabilities that sum "
                       f"to {values[i].sum():g}; expected 1")
