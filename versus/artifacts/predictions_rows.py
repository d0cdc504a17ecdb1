"""The rows of a CSV file of predictions, read a few at a time: its columns, and what is wrong with them.

So that memory stays near the size of the numbers, which as text take twenty times as much.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO

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
    short: bool            # whether the probabilities of all classes are elsewhere: numbers are those of PROBABILITIES
    lines: np.ndarray      # (rows,) int, the line of the file on which each starts
    texts: dict[str, np.ndarray]  # the other columns, (rows,) str each
    numbers: np.ndarray    # (rows, classes) float64, or (rows, 2) if short
    problems: Problems     # of single rows


def read(file: BinaryIO, path: str | Path) -> Rows:
    """Read the rows of a CSV file; errors name it `path`. Raises PredictionsError if it has not got such rows at all."""
    records = _records(file, path)
    first_line, header = next(records, (1, []))
    first = list(islice(records, 1))
    problems, ragged = Problems(path), Problems(path)
    problems.add(_problems_of_columns(header, len(first)))
    problems.refuse()
    names = tuple(column.removeprefix("p_") for column in header if column.startswith("p_"))
    short = not names
    if short:
        names = _listed_classes(dict(zip(header, first[0][1])), first[0][0], problems)
    columns = list(PROBABILITIES) if short else [f"p_{name}" for name in names]
    used = [column for column in header if column in (*COLUMNS, UNIT, "part") or short and column == PREDICTED]
    places = [header.index(column) for column in columns]
    texts: dict[str, list[str]] = {column: [] for column in used}
    known: dict[str, str] = {}  # one object for equal texts
    lines, numbers, checks = [], [], _Checks(names, columns, short)
    for batch in _batches(chain(first, records), max(HELD // len(header), 1)):
        ragged.add(f"line {line}: got {len(record)} fields; expected {len(header)}, as in line {first_line}"
                   for line, record in batch if len(record) != len(header))
        if ragged.number:
            continue
        for column in used:
            place = header.index(column)
            texts[column] += [known.setdefault(record[place], record[place]) for _, record in batch]
        fields = np.array([record[place] for _, record in batch for place in places], object)
        values = np.asarray(pd.to_numeric(fields, errors="coerce"), float).reshape(len(batch), len(places))
        own = {column: texts[column][-len(batch):] for column in used}
        problems.add(checks.problems([line for line, _ in batch], own, fields.reshape(values.shape), values))
        lines.append(np.array([line for line, _ in batch]))
        numbers.append(values)
    ragged.refuse()
    return Rows(names, short, np.concatenate(lines), {column: np.array(each, object) for column, each in texts.items()},
                np.concatenate(numbers), problems)


def _batches(records: Iterable[tuple[int, list[str]]], size: int) -> Iterator[list[tuple[int, list[str]]]]:
    iterator = iter(records)
    while batch := list(islice(iterator, size)):
        yield batch


def _records(file: BinaryIO, path: str | Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the records of a CSV file, each with the line on which it starts. Blank lines are left out."""
    end = 0  # last line of the record before: a field in quotes can hold several lines
    csv.field_size_limit(LONGEST)
    text = io.TextIOWrapper(file, "utf-8-sig", newline="")
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
    except UnicodeDecodeError:
        _refuse_encoding(file, path)
    finally:
        text.detach()  # the file is the caller's to close


def _refuse_encoding(file: BinaryIO, path: str | Path) -> None:
    """Raise PredictionsError for the first byte of a file that is not UTF-8."""
    file.seek(0)
    data = file.read()
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PredictionsError(f"{path}: line {line}: got the byte {data[error.start]:#04x}, which is not UTF-8; "
                               f"{EXPECTED}: save it as 'CSV UTF-8'") from None


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


class _Checks:
    """What is wrong with single rows."""

    def __init__(self, class_names: tuple[str, ...], columns: list[str], short: bool):
        self.names, self.columns, self.short = dict.fromkeys(class_names), columns, short
        self.whole: dict[str, bool] = {}  # by the text of a seed

    def problems(self, lines: list[int], texts: dict[str, list[str]], fields: np.ndarray,
                 values: np.ndarray) -> Iterator[str]:
        """Yield the problems of some rows, in their order; `fields` (rows, columns) are the texts of `values`."""
        for text in set(texts["seed"]) - self.whole.keys():
            self.whole[text] = float(pd.to_numeric(np.array([text], object), errors="coerce")[0]).is_integer()
        not_whole = np.array([not self.whole[text] for text in texts["seed"]])
        named = ["class", PREDICTED] if self.short else ["class"]
        unknown = {column: np.array([text not in self.names for text in texts[column]]) for column in named}
        outside = ~((values >= 0) & (values <= 1 + SUM_TOLERANCE))  # NaN included
        wrong_sum = ~outside.any(axis=1) & (np.abs(values.sum(axis=1) - 1) > SUM_TOLERANCE) & (not self.short)
        for i in np.flatnonzero(not_whole | np.any([*unknown.values()], axis=0) | outside.any(axis=1) | wrong_sum):
            line = f"line {lines[i]}"
            if not_whole[i]:
                yield f"{line}, column 'seed': got {texts['seed'][i]!r}; expected a whole number"
            for column in named:
                if unknown[column][i]:
                    missing = "which is none of the classes" if self.short else "which has no column p_<class>"
                    yield (f"{line}, column {column!r}: got {texts[column][i]!r}, {missing}; expected one of "
                           f"{some([*self.names], most=SHOWN)}")
            for column in np.flatnonzero(outside[i]):
                yield (f"{line}, column {self.columns[column]!r}: got {fields[i, column]!r}; expected a probability "
                       "from 0 to 1")
            if wrong_sum[i]:
                yield (f"{line}, columns {self.columns[0]!r} to {self.columns[-1]!r}: got probabilities that sum to "
                       f"{values[i].sum():g}; expected 1")
