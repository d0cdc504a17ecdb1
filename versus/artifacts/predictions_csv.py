"""Predictions as a CSV file: any classifier's, of any number of training runs, for the same labelled images.

Columns: seed (a whole number, which training run), file (the image's name), class (its true class) and, for each class,
p_<class> (the predicted probability, 0..1; they sum to 1). Each seed has one row for each file. Further columns are
ignored. In this project `file` is <class>/<name>.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from versus.artifacts.predictions import Predictions, PredictionsError, some

COLUMNS = ("seed", "file", "class")
SHOWN = 10  # problems of a file that its error lists
SUM_TOLERANCE = 1e-3  # of probabilities: softmax in single precision, or rounding to a few digits


def write(predictions: Predictions, path: str | Path) -> None:
    """Write predictions as CSV, in the order of seeds, then images."""
    frames = []
    for seed, probabilities in zip(predictions.seeds, predictions.probabilities):
        frame = pd.DataFrame(probabilities, columns=[f"p_{name}" for name in predictions.class_names])
        frame.insert(0, "seed", seed)
        frame.insert(1, "file", predictions.files)
        frame.insert(2, "class", [predictions.class_names[label] for label in predictions.labels])
        frames.append(frame)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    pd.concat(frames).to_csv(path, index=False)


def read(path: str | Path) -> Predictions:
    """Read a CSV file of predictions; raise PredictionsError that lists what is wrong, by line and column."""
    try:
        rows = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (OSError, pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise PredictionsError(f"{path}: {error}; expected predictions as CSV with the columns seed, file, class and "
                               "p_<class>: run `dvc repro`, or name a file that exists") from None
    names = tuple(column.removeprefix("p_") for column in rows if column.startswith("p_"))
    _refuse(path, _problems_of_columns(rows, names))
    numbers = rows[["seed", *(f"p_{name}" for name in names)]].apply(pd.to_numeric, errors="coerce")
    _refuse(path, _problems_of_rows(rows, numbers, names))
    _refuse(path, _problems_of_seeds(rows))

    rows = rows.assign(**numbers).sort_values(["seed", "class", "file"], kind="stable")
    seeds = tuple(int(seed) for seed in rows["seed"].unique())
    first = rows[rows["seed"] == seeds[0]]
    probabilities = rows[[f"p_{name}" for name in names]].to_numpy(float).reshape(len(seeds), len(first), len(names))
    labels = np.array([names.index(name) for name in first["class"]])
    return Predictions(seeds, tuple(first["file"]), names, labels,
                       probabilities / probabilities.sum(axis=2, keepdims=True))


def _refuse(path: str | Path, problems: Iterator[str]) -> None:
    """Raise PredictionsError if there are any problems; it lists the first ones and counts the others."""
    listed = list(problems)
    if listed:
        more = [f"and {len(listed) - SHOWN:,} more problems of this file"] if len(listed) > SHOWN else []
        raise PredictionsError("\n".join(f"{path}: {problem}" for problem in listed[:SHOWN] + more)
                               + "\nCorrect the file; one that `dvc repro` wrote is made again by `dvc repro --force`")


def _problems_of_columns(rows: pd.DataFrame, names: tuple[str, ...]) -> Iterator[str]:
    for column in COLUMNS:
        if column not in rows:
            yield (f"line 1: got no column {column!r} among {', '.join(map(repr, rows.columns))}; expected seed, file, "
                   "class and p_<class> for each class")
    if len(names) < 2:
        yield f"line 1: got {len(names)} columns p_<class>; expected at least two, one for each class"
    if not len(rows):
        yield "got no rows; expected one for each seed and image"


def _problems_of_rows(rows: pd.DataFrame, numbers: pd.DataFrame, names: tuple[str, ...]) -> Iterator[str]:
    """Yield what is wrong with single rows; a row's line is its number in the file, the header being line 1."""
    columns = [f"p_{name}" for name in names]
    values = numbers[columns].to_numpy(float)
    outside = ~((values >= 0) & (values <= 1 + SUM_TOLERANCE))  # NaN included
    wrong_sum = ~outside.any(axis=1) & (np.abs(values.sum(axis=1) - 1) > SUM_TOLERANCE)
    seeds = numbers["seed"].to_numpy(float)
    not_whole = ~(np.isfinite(seeds) & (seeds == np.floor(seeds)))
    unknown = ~rows["class"].isin(names).to_numpy()
    for i in np.flatnonzero(not_whole | unknown | outside.any(axis=1) | wrong_sum):
        line = f"line {i + 2}"
        if not_whole[i]:
            yield f"{line}, column 'seed': got {rows['seed'][i]!r}; expected a whole number"
        if unknown[i]:
            yield (f"{line}, column 'class': got {rows['class'][i]!r}, which has no column p_<class>; expected one of "
                   f"{', '.join(map(repr, names))}")
        for column in np.flatnonzero(outside[i]):
            yield (f"{line}, column {columns[column]!r}: got {rows[columns[column]][i]!r}; expected a probability from "
                   "0 to 1")
        if wrong_sum[i]:
            yield (f"{line}, columns {columns[0]!r} to {columns[-1]!r}: got probabilities that sum to "
                   f"{values[i].sum():g}; expected 1")


def _problems_of_seeds(rows: pd.DataFrame) -> Iterator[str]:
    """Yield where seeds have other files or classes than the first one."""
    for i in np.flatnonzero(rows.duplicated(["seed", "file"])):
        yield (f"line {i + 2}, column 'file': got {rows['file'][i]!r} once more for seed {rows['seed'][i]}; expected "
               "each file once for each seed")
    by_seed = {seed: dict(zip(part["file"], part["class"])) for seed, part in rows.groupby("seed", sort=False)}
    (first, expected), *others = by_seed.items()
    for seed, classes in others:
        if missing := sorted(expected.keys() - classes.keys()):
            yield f"seed {seed}: got no row for {some(missing)}; expected the files of seed {first}"
        if extra := sorted(classes.keys() - expected.keys()):
            yield f"seed {seed}: got rows for {some(extra)}, which seed {first} lacks; expected the same files"
        if changed := sorted(file for file in expected.keys() & classes.keys() if expected[file] != classes[file]):
            yield f"seed {seed}: got another class than in seed {first} for {some(changed)}; expected the same"
