"""Predictions as a CSV file: any classifier's, of any number of training runs, for the same labelled images.

Columns: seed (a whole number, which training run), file (the image's name), class (its true class) and, for each class,
p_<class> (the predicted probability, 0..1; they sum to 1). Each seed has one row for each file. A column unit may name
what an image shows, such as a patient or a video: images of one unit are no independent evidence. Without it, or where
it is empty, each image is a unit of its own. A column part says of which part of the split the images are. Further
columns are ignored. In this project `file` is <class>/<name>, and `unit` the number of a group of near-duplicates.
"""

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from versus.artifacts.predictions import Predictions, PredictionsError, some

COLUMNS = ("seed", "file", "class")
UNIT = "unit"  # a further column, which may be missing
SHOWN = 10  # problems, or names in one of them, that an error lists
EXPECTED = "expected predictions as CSV in UTF-8 with the columns seed, file, class and p_<class>"
SUM_TOLERANCE = 1e-3  # of probabilities: softmax in single precision, or rounding to a few digits


def write(predictions: Predictions, path: str | Path) -> None:
    """Write predictions as CSV, in the order of seeds, then images."""
    frames = []
    for seed, probabilities in zip(predictions.seeds, predictions.probabilities):
        frame = pd.DataFrame(probabilities, columns=[f"p_{name}" for name in predictions.class_names])
        frame.insert(0, "seed", seed)
        if predictions.part:
            frame.insert(1, "part", predictions.part)
        frame.insert(1, "file", predictions.files)
        frame.insert(2, "class", [predictions.class_names[label] for label in predictions.labels])
        frame.insert(3, UNIT, predictions.units)
        frames.append(frame)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    pd.concat(frames).to_csv(path, index=False)


def read(path: str | Path) -> Predictions:
    """Read a CSV file of predictions; raise PredictionsError that lists what is wrong, by line and column."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise PredictionsError(f"{path}: {error.strerror}; {EXPECTED}: name a file that exists (those of this project "
                               "are written by `dvc repro`)") from None
    return parse(data, path)


def parse(data: bytes, path: str | Path) -> Predictions:
    """Read predictions from the content of a CSV file, as `read` does; errors name it `path`."""
    rows = _read_rows(data, path)
    names = _class_names(rows.columns)
    numbers = rows[["seed", *(f"p_{name}" for name in names)]].apply(pd.to_numeric, errors="coerce")
    problems = [*_problems_of_rows(rows, numbers, names), *_problems_of_seeds(rows.assign(seed=numbers["seed"]), names)]
    _refuse(path, problems)

    rows = rows.assign(**numbers).sort_values(["seed", "class", "file"], kind="stable")
    seeds = tuple(int(seed) for seed in rows["seed"].unique())
    first = rows[rows["seed"] == seeds[0]]
    probabilities = rows[[f"p_{name}" for name in names]].to_numpy(float).reshape(len(seeds), len(first), len(names))
    labels = np.array([names.index(name) for name in first["class"]])
    parts = set(rows["part"]) if "part" in rows else set()
    return Predictions(seeds, tuple(first["file"]), names, labels,
                       probabilities / probabilities.sum(axis=2, keepdims=True), _units(first),
                       parts.pop() if len(parts) == 1 else "")


def _units(rows: pd.DataFrame) -> np.ndarray:
    """Number the units of one seed's rows; an image without one has a unit of its own."""
    if UNIT not in rows:
        return np.arange(len(rows))
    named = rows[UNIT].str.strip() != ""
    return pd.factorize(np.where(named, "unit " + rows[UNIT], "file " + rows["file"]))[0]


def _class_names(columns: Iterable[str]) -> tuple[str, ...]:
    return tuple(column.removeprefix("p_") for column in columns if column.startswith("p_"))


def _read_rows(data: bytes, path: str | Path) -> pd.DataFrame:
    """Read the columns of predictions as text. The index of a row is the line of the file on which it starts."""
    lines, records = _read_records(data, path)
    header = records[0] if records else []
    _refuse(path, _problems_of_columns(header, len(records) - 1))
    _refuse(path, [f"line {line}: got {len(record)} fields; expected {len(header)}, as in line {lines[0]}"
                   for line, record in zip(lines, records) if len(record) != len(header)])
    used = [k for k, column in enumerate(header) if column in (*COLUMNS, UNIT, "part") or column.startswith("p_")]
    return pd.DataFrame([[record[k] for k in used] for record in records[1:]], columns=[header[k] for k in used],
                        index=lines[1:], dtype=str)


def _read_records(data: bytes, path: str | Path) -> tuple[list[int], list[list[str]]]:
    """Read a CSV file: the lines on which its records start, and their fields. Blank lines are left out."""
    lines, records = [], []
    end = 0  # last line of the record before: a field in quotes can hold several lines
    try:
        reader = csv.reader(io.StringIO(_decode(data, path), newline=""), strict=True)
        for record in reader:
            if record:
                lines.append(end + 1)
                records.append(record)
            end = reader.line_num
    except csv.Error as error:
        _refuse(path, [f"line {end + 1}: got a row that is not CSV ({error}); expected fields separated by commas, in "
                       "double quotes if they hold a comma, a quote or a line break, and a quote inside doubled"])
    return lines, records


def _decode(data: bytes, path: str | Path) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise PredictionsError(f"{path}: line {line}: got the byte {data[error.start]:#04x}, which is not UTF-8; "
                               f"{EXPECTED}: save it as 'CSV UTF-8'") from None


def _refuse(path: str | Path, problems: Iterable[str]) -> None:
    """Raise PredictionsError if there are any problems; it lists the first ones and counts the others."""
    listed = list(problems)
    if listed:
        others = len(listed) - SHOWN
        more = [f"and {others:,} more {'problem' if others == 1 else 'problems'} of this file"] if others > 0 else []
        raise PredictionsError("\n".join(f"{path}: {problem}" for problem in listed[:SHOWN] + more)
                               + "\nCorrect the file. If `dvc repro` wrote it, run `dvc repro --force` to write it "
                               "again")


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
    names = _class_names(header)
    for column in dict.fromkeys((*COLUMNS, UNIT, *(f"p_{name}" for name in names))):
        if header.count(column) > 1:
            yield f"line 1: got the column {column!r} {header.count(column)} times; expected it once"
    if len(set(names)) < 2:
        yield (f"line 1: got {len(set(names))} columns p_<class>; expected at least two, one for each class: for two "
               "classes the probabilities of both")
    if rows < 1:
        yield "got no rows; expected one for each seed and image"


def _problems_of_rows(rows: pd.DataFrame, numbers: pd.DataFrame, names: tuple[str, ...]) -> Iterator[str]:
    """Yield what is wrong with single rows."""
    columns = [f"p_{name}" for name in names]
    values = numbers[columns].to_numpy(float)
    outside = ~((values >= 0) & (values <= 1 + SUM_TOLERANCE))  # NaN included
    wrong_sum = ~outside.any(axis=1) & (np.abs(values.sum(axis=1) - 1) > SUM_TOLERANCE)
    not_whole = ~_whole(numbers["seed"])
    unknown = ~rows["class"].isin(names).to_numpy()
    for i in np.flatnonzero(not_whole | unknown | outside.any(axis=1) | wrong_sum):
        line, row = f"line {rows.index[i]}", rows.iloc[i]
        if not_whole[i]:
            yield f"{line}, column 'seed': got {row['seed']!r}; expected a whole number"
        if unknown[i]:
            yield (f"{line}, column 'class': got {row['class']!r}, which has no column p_<class>; expected one of "
                   f"{some(names, most=SHOWN)}")
        for column in np.flatnonzero(outside[i]):
            yield (f"{line}, column {columns[column]!r}: got {row[columns[column]]!r}; expected a probability from 0 "
                   "to 1")
        if wrong_sum[i]:
            yield (f"{line}, columns {columns[0]!r} to {columns[-1]!r}: got probabilities that sum to "
                   f"{values[i].sum():g}; expected 1")


def _whole(seeds: pd.Series) -> np.ndarray:
    values = seeds.to_numpy(float)
    return np.isfinite(values) & (values == np.floor(values))


def _problems_of_seeds(rows: pd.DataFrame, names: tuple[str, ...]) -> Iterator[str]:
    """Yield where seeds have other files or classes than the first one; `rows` have their seeds as numbers."""
    if not _whole(rows["seed"]).all():
        return  # whose row it is that has a wrong seed is unknown
    rows = rows.assign(seed=rows["seed"].map(int))
    for i in np.flatnonzero(rows.duplicated(["seed", "file"])):
        row = rows.iloc[i]
        yield (f"line {rows.index[i]}, column 'file': got {row['file']!r} once more for seed {row['seed']}; expected "
               "each file once for each seed")
    by_seed = {seed: dict(zip(part["file"], part["class"])) for seed, part in rows.groupby("seed", sort=False)}
    (first, expected), *others = by_seed.items()
    for seed, classes in others:
        if missing := sorted(expected.keys() - classes.keys()):
            yield f"seed {seed}: got no row for {some(missing)}; expected the files of seed {first}"
        if extra := sorted(classes.keys() - expected.keys()):
            yield f"seed {seed}: got rows for {some(extra)}, which seed {first} lacks; expected the same files"
        if changed := sorted(file for file in expected.keys() & classes.keys()
                             if expected[file] != classes[file] and {expected[file], classes[file]} <= set(names)):
            yield f"seed {seed}: got another class than in seed {first} for {some(changed)}; expected the same"
    if UNIT in rows:
        units = rows.assign(**{UNIT: rows[UNIT].str.strip()}).groupby("file")[UNIT].nunique()
        if several := sorted(units.index[units > 1]):
            yield f"got several units for {some(several)}; expected the same in every seed"
