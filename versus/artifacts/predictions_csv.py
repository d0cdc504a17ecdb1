"""Predictions as a CSV file: any classifier's, of any number of training runs, for the same labelled images.

Columns: seed (a whole number, which training run), file (the image's name), class (its true class) and, for each class,
p_<class> (the predicted probability, 0..1; they sum to 1). Each seed has one row for each file. A column unit may name
what an image shows, such as a patient or a video: images of one unit are no independent evidence. Without it, or where
it is empty, each image is a unit of its own. A column part says of which part of the split the images are. Further
columns are ignored. In this project `file` is <class>/<name>, and `unit` the number of a group of near-duplicates.

Beside each file that is written lies NAME.npy, the same probabilities as a NumPy array (see `predictions_npy`). It is
read only if there are more than MOST_IN_CSV of them. The CSV file then has, instead of the columns p_<class>, predicted
(the class of the greatest probability), predicted_probability and class_probability (the probabilities of that class
and of the true one), and classes: the names of all classes in their order, as a list in JSON in the first row.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from versus.artifacts import npy, predictions_npy, predictions_rows
from versus.artifacts.predictions import SUM_TOLERANCE, Predictions, PredictionsError, some
from versus.artifacts.predictions_rows import CLASSES, EXPECTED, PREDICTED, PROBABILITIES, UNIT, Rows
from versus.artifacts.seed_by_seed import SeedBySeed

MOST_IN_CSV = 5_000_000  # probabilities; as text they take 60 MB, and 100 seeds of 10,000 images of 1,000 classes 13 GB


def write(predictions: Predictions, path: str | Path) -> None:
    """Write predictions as CSV, in the order of seeds, then images, and the probabilities beside it as .npy.

    Each seed's probabilities are asked for once, and nothing is written if that fails.
    """
    short = np.prod(predictions.probabilities.shape) > MOST_IN_CSV
    with _replacing(Path(path)) as table, _replacing(predictions_npy.beside(path)) as array:
        with open(table, "w", encoding="utf-8", newline="") as rows, open(array, "wb") as numbers:
            writer = npy.Writer(len(predictions.seeds), numbers)
            for number, (seed, of_seed) in enumerate(zip(predictions.seeds, predictions.probabilities)):
                writer.write(of_seed)
                if short:
                    columns = _two_classes(predictions, of_seed, first=number == 0)
                else:
                    columns = pd.DataFrame(of_seed, columns=[f"p_{name}" for name in predictions.class_names])
                _rows(predictions, seed, columns).to_csv(rows, index=False, header=number == 0)


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give another path to write to, which becomes `path` if all goes well and is removed if not."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def _rows(predictions: Predictions, seed: int, columns: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of one seed, which end with `columns`."""
    columns.insert(0, "seed", seed)
    columns.insert(1, "file", predictions.files)
    columns.insert(2, "class", [predictions.class_names[label] for label in predictions.labels])
    columns.insert(3, UNIT, predictions.units)
    if predictions.part:
        columns.insert(4, "part", predictions.part)
    return columns


def _two_classes(predictions: Predictions, of_seed: np.ndarray, first: bool) -> pd.DataFrame:
    """Return the columns that are written instead of those of all classes; `first`: whether it is the first seed."""
    images, predicted = np.arange(len(of_seed)), of_seed.argmax(axis=1)
    names = np.array(predictions.class_names, object)
    values = (of_seed[images, predicted], of_seed[images, predictions.labels])
    columns = pd.DataFrame({PREDICTED: names[predicted]} | dict(zip(PROBABILITIES, values)) | {CLASSES: ""})
    if first:
        columns.loc[0, CLASSES] = json.dumps(predictions.class_names, ensure_ascii=False)
    return columns


def read(path: str | Path) -> Predictions:
    """Read a CSV file of predictions; raise PredictionsError that lists what is wrong, by line and column."""
    try:
        file = open(path, "rb")
    except OSError as error:
        raise PredictionsError(f"{path}: {error.strerror}; {EXPECTED}: name a file that exists (those of this project "
                               "are written by `dvc repro`)") from None
    with file:
        return parse(file, path, lambda: open(predictions_npy.beside(path), "rb"))


def parse(file: BinaryIO, path: str | Path, open_array: Callable[[], BinaryIO]) -> Predictions:
    """Read predictions from an open CSV file, as `read` does; errors name it `path`.

    `open_array` opens the .npy beside it, if it is needed, and may raise OSError.
    """
    rows = predictions_rows.read(file, path)
    table = pd.DataFrame(rows.texts, index=rows.lines, dtype=object)
    seeds, order = _seeds_and_order(table, rows)
    first, parts = table.iloc[order[0]], set(table["part"]) if "part" in table else set()
    label = {name: number for number, name in enumerate(rows.class_names)}
    array = predictions_npy.beside(path)
    probabilities = _of_array(rows, order, array, open_array) if rows.short else _of_columns(rows.numbers, order)
    predictions = Predictions(seeds, tuple(first["file"]), rows.class_names,
                              np.array([label[name] for name in first["class"]]), probabilities, _units(first),
                              parts.pop() if len(parts) == 1 else "")
    if rows.short:
        rows.problems.add(_disagreements(predictions, rows, order, array))
        rows.problems.refuse()
    return predictions


def _units(rows: pd.DataFrame) -> np.ndarray:
    """Number the units of one seed's rows; an image without one has a unit of its own."""
    if UNIT not in rows:
        return np.arange(len(rows))
    named = rows[UNIT].str.strip() != ""
    return pd.factorize(np.where(named, "unit " + rows[UNIT], "file " + rows["file"]))[0]


def _of_columns(numbers: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Return the probabilities of rows (rows, classes) in `order`, (seeds, images), scaled to sums of exactly 1."""
    if not np.array_equal(order.ravel(), np.arange(order.size)):
        numbers = numbers[order.ravel()]
    probabilities = numbers.reshape(*order.shape, -1)
    probabilities /= probabilities.sum(axis=2, keepdims=True)
    return probabilities


def _of_array(rows: Rows, order: np.ndarray, path: Path, open_array: Callable[[], BinaryIO]) -> SeedBySeed:
    """Return the probabilities in the array beside a CSV file, in `order`, (seeds, images) of the rows."""
    seeds, images = order // order.shape[1], order % order.shape[1]  # places in the array, if it has the rows' order
    if (seeds != seeds[:, :1]).any() or (images != images[0]).any():
        rows.problems.add([f"got rows in another order than {path} can have; expected seed by seed, and the images of "
                           "each in the same order: leave the rows as they were written"])
        rows.problems.refuse()
    try:
        file = open_array()
    except OSError as error:
        raise PredictionsError(f"{path}: {error.strerror}; expected the probabilities beside the CSV file, which has "
                               "no columns p_<class>: copy both files, or run `dvc pull` or `dvc repro`") from None
    values = predictions_npy.read(file, (*order.shape, len(rows.class_names)), path)
    in_order = np.array_equal(images[0], np.arange(order.shape[1]))
    which = slice(None) if in_order else images[0]  # no copy of a seed that is in order
    return SeedBySeed(values.shape, lambda seed: values[seeds[seed, 0]][which])


def _disagreements(predictions: Predictions, rows: Rows, order: np.ndarray, path: Path) -> Iterator[str]:
    """Yield where a CSV file says something else than the array beside it."""
    names = np.array(rows.class_names, object)[predictions.predicted]  # (seeds, images)
    values = np.stack([predictions.outcomes.confidences, predictions.outcomes.own], axis=2)
    others = rows.texts[PREDICTED][order] != names
    apart = np.abs(rows.numbers[order] - values) > 2 * SUM_TOLERANCE  # the array's are scaled to sums of 1
    wrong = others | apart.any(axis=2)
    for row, (seed, image) in sorted(zip(order[wrong].tolist(), np.argwhere(wrong).tolist())):
        if others[seed, image]:
            yield (f"line {rows.lines[row]}, column {PREDICTED!r}: got {rows.texts[PREDICTED][row]!r}; expected "
                   f"{names[seed, image]!r}, the most probable class in {path}")
        for column in np.flatnonzero(apart[seed, image]):
            yield (f"line {rows.lines[row]}, column {PROBABILITIES[column]!r}: got {rows.numbers[row, column]:g}; "
                   f"expected {values[seed, image, column]:g}, as in {path}")


def _seeds_and_order(table: pd.DataFrame, rows: Rows) -> tuple[tuple[int, ...], np.ndarray]:
    """Return the seeds, and which row has each seed and image, (seeds, images), sorted by seed, class and file.

    Raises PredictionsError for the problems of `rows`, and where seeds have other files, classes or units than the
    first one.
    """
    texts = pd.unique(table["seed"])
    values = pd.to_numeric(np.array(texts, object), errors="coerce")
    if not all(float(value).is_integer() for value in values):
        rows.problems.refuse()  # here: whose row it is that has a wrong seed is unknown
    number = {text: int(value) for text, value in zip(texts, values)}
    table = table.assign(seed=[number[text] for text in table["seed"]])
    codes, seeds = pd.factorize(table["seed"], sort=True)
    files, classes = (pd.factorize(table[column], sort=True)[0] for column in ("file", "class"))
    units = pd.factorize(table[UNIT].str.strip())[0] if UNIT in table else files
    order = np.lexsort((files, classes, codes))
    images = len(order) // len(seeds)
    first = order[:images]
    if (len(order) % len(seeds) or (codes[order] != np.repeat(np.arange(len(seeds)), images)).any()
            or any((each[order] != np.tile(each[first], len(seeds))).any() for each in (files, classes, units))
            or len(np.unique(files[first])) < images):
        rows.problems.add(_problems_of_seeds(table, set(rows.class_names)))
    rows.problems.refuse()
    return tuple(int(seed) for seed in seeds), order.reshape(len(seeds), images)


def _problems_of_seeds(rows: pd.DataFrame, names: set[str]) -> Iterator[str]:
    """Yield where seeds have other files or classes than the first one; `rows` have their seeds as numbers."""
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
                             if expected[file] != classes[file] and {expected[file], classes[file]} <= names):
            yield f"seed {seed}: got another class than in seed {first} for {some(changed)}; expected the same"
    if UNIT in rows:
        units = rows.assign(**{UNIT: rows[UNIT].str.strip()}).groupby("file")[UNIT].nunique()
        if several := sorted(units.index[units > 1]):
            yield f"got several units for {some(several)}; expected the same in every seed"
