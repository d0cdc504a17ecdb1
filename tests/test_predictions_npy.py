"""Predictions that are too many for a CSV file: the array beside it, read seed by seed, and what is refused."""

import json
import tracemalloc
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from tests.helpers import results
from tests.helpers.predictions import draw_predictions, predictions_of, rows_of, written
from tests.helpers.stages import run_stage
from versus.artifacts import predictions_csv, predictions_npy, predictions_rows
from versus.artifacts.predictions import PredictionsError, pair, same_probabilities
from versus.artifacts.seed_by_seed import SeedBySeed
from versus.evaluation import comparison, ensemble, gallery, gate, plots, scores
from versus.params import Compare

SETTINGS = Compare(margin=0.02, bootstrap=100, seed=0)
INSTEAD = ["predicted", "predicted_probability", "class_probability", "classes"]


@pytest.fixture
def few(monkeypatch):
    """Any number of probabilities is too many for a CSV file."""
    monkeypatch.setattr(predictions_csv, "MOST_IN_CSV", 0)


def seed_by_seed(predictions):
    """The same predictions, whose probabilities are copied when they are asked for."""
    values = predictions.probabilities
    return replace(predictions, probabilities=SeedBySeed(values.shape, lambda seed: values[seed].copy()))


# files

def test_the_array_holds_the_probabilities_as_they_were_computed(tmp_path):
    predictions = draw_predictions(3, 20, 4)
    single = replace(predictions, probabilities=predictions.probabilities.astype(np.float32))
    for each in (predictions, single):
        predictions_csv.write(seed_by_seed(each), tmp_path / "p.csv")
        array = np.load(tmp_path / "p.npy", mmap_mode="r")
        assert array.dtype == each.probabilities.dtype and np.array_equal(array, each.probabilities)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["p.csv", "p.npy"]


def test_what_fits_into_the_csv_file_is_read_from_it_alone(tmp_path):
    predictions = draw_predictions(2, 20, 3)
    predictions_csv.write(predictions, tmp_path / "p.csv")
    read = predictions_csv.read(tmp_path / "p.csv")
    for spoil in (lambda array: array.write_bytes(b"spoilt"), lambda array: array.unlink()):
        spoil(tmp_path / "p.npy")
        assert same_probabilities(predictions_csv.read(tmp_path / "p.csv"), read)


@pytest.mark.parametrize("limit, columns", [(2 * 20 * 3, ["p_alien", "p_predator", "p_robot"]),
                                            (2 * 20 * 3 - 1, INSTEAD)])
def test_above_the_limit_the_csv_file_has_the_probabilities_of_two_classes(tmp_path, monkeypatch, limit, columns):
    monkeypatch.setattr(predictions_csv, "MOST_IN_CSV", limit)
    predictions_csv.write(replace(draw_predictions(2, 20, 3), part="test"), tmp_path / "p.csv")
    rows = pd.read_csv(tmp_path / "p.csv")
    assert list(rows) == ["seed", "file", "class", "unit", "part", *columns] and len(rows) == 40


def test_the_csv_file_says_what_was_predicted_and_names_all_classes(tmp_path, few):
    names = ("ö, ä", 'quote"d', "p_x", "without images")
    predictions = predictions_of(draw_predictions(2, 9, 4).probabilities, np.arange(9) % 3, names)
    predictions_csv.write(predictions, tmp_path / "p.csv")
    rows = pd.read_csv(tmp_path / "p.csv", keep_default_na=False)
    assert json.loads(rows["classes"][0]) == list(names) and set(rows["classes"][1:]) == {""}
    assert rows["predicted"].tolist() == [names[label] for label in predictions.predicted.ravel()]
    assert rows["predicted_probability"].tolist() == predictions.probabilities.max(axis=2).ravel().tolist()
    own = predictions.probabilities[:, np.arange(9), predictions.labels]
    assert rows["class_probability"].tolist() == own.ravel().tolist()
    assert predictions_csv.read(tmp_path / "p.csv").class_names == names


def unsorted(predictions):
    """The same with the images in falling order of files and the last seed first."""
    return replace(predictions, seeds=(7, 3), files=predictions.files[::-1], labels=predictions.labels[::-1],
                   units=predictions.units[::-1], probabilities=predictions.probabilities[:, ::-1])


@pytest.mark.parametrize("change", [lambda predictions: predictions, unsorted])
def test_both_files_are_read_as_the_csv_file_alone_would_be(tmp_path, monkeypatch, change):
    predictions = replace(change(draw_predictions(2, 30, 3)), part="test")
    predictions_csv.write(predictions, tmp_path / "one.csv")
    monkeypatch.setattr(predictions_csv, "MOST_IN_CSV", 0)
    predictions_csv.write(predictions, tmp_path / "other.csv")
    one, other = (predictions_csv.read(tmp_path / f"{name}.csv") for name in ("one", "other"))
    assert isinstance(other.probabilities, SeedBySeed) and same_probabilities(one, other)
    for name in ("seeds", "files", "class_names", "part"):
        assert getattr(one, name) == getattr(other, name)
    assert np.array_equal(one.labels, other.labels) and np.array_equal(one.units, other.units)


def test_nothing_is_written_if_a_seed_cannot_be_computed(tmp_path, few):
    predictions = draw_predictions(2, 20, 3)

    def of_seed(seed):
        if seed:
            raise ZeroDivisionError
        return predictions.probabilities[seed]

    with pytest.raises(ZeroDivisionError):
        predictions_csv.write(replace(predictions, probabilities=SeedBySeed((2, 20, 3), of_seed)), tmp_path / "p.csv")
    assert not list(tmp_path.iterdir())


# refused

def saved(array):
    return lambda values, path: np.save(path, array(values))


def spoilt(place, value):
    """Save the array with another value at `place`."""
    def spoil(values, path):
        values[place] = value
        np.save(path, values)
    return spoil


SHAPE = r"expected probabilities \(2, 20, 3\) of \(seeds, images, classes\) as float32 or float64"


@pytest.mark.parametrize("spoil, message", [
    (lambda values, path: path.unlink(), "p.npy: No such file or directory; expected the probabilities beside the CSV "
     "file, which has no columns p_<class>: copy both files, or run `dvc pull` or `dvc repro`"),
    (lambda values, path: path.write_bytes(b"no array"), f"p.npy: got no array of NumPy .*; {SHAPE}"),
    (lambda values, path: path.write_bytes(path.read_bytes()[:-1]), "p.npy: got 1,087 bytes; expected 1,088: it is tr"),
    (lambda values, path: path.write_bytes(path.read_bytes() + b" "), "p.npy: got 1,089 bytes; expected 1,088"),
    (saved(lambda values: values[:1]), rf"p.npy: got \(1, 20, 3\) as float64; {SHAPE}"),
    (saved(lambda values: values[:, :19]), r"p.npy: got \(2, 19, 3\)"),
    (saved(lambda values: values[:, :, :2]), r"p.npy: got \(2, 20, 2\)"),
    (saved(lambda values: (100 * values).astype(int)), r"p.npy: got \(2, 20, 3\) as int64; expected"),
    (saved(np.asfortranarray), r"p.npy: got \(2, 20, 3\) as float64 in Fortran order; expected"),
    (spoilt((1, 4), [0.5, 0.6, 0.2]), r"p.npy: got values from 0.2 to 0.6 that sum to 1.3 in \[1, 4\], and 1 such"),
    (spoilt((1, 4), [-0.5, 1.3, 0.2]), r"p.npy: got values from -0.5 to 1.3 that sum to 1 in \[1, 4\]"),
    (spoilt((0, 3, 2), np.nan), r"p.npy: got values from nan to nan that sum to nan in \[0, 3\]"),
    (saved(lambda values: values[::-1]), "line 2, column 'predicted_probability': got 0.[0-9]+; expected 0.[0-9]+, as"),
    (spoilt((0, 3), [0, 0, 1]), "line 5, column 'predicted': got 'alien'; expected 'robot', the most probable class"),
])
def test_an_array_that_does_not_fit_is_refused(tmp_path, few, spoil, message):
    predictions = draw_predictions(2, 20, 3)
    predictions_csv.write(predictions, tmp_path / "p.csv")
    spoil(predictions.probabilities.copy(), tmp_path / "p.npy")
    with pytest.raises(PredictionsError, match=message):
        predictions_csv.read(tmp_path / "p.csv")


@pytest.mark.parametrize("spoil, message", [
    (lambda rows: rows.sort_values("file", kind="stable"), "got rows in another order than .*p.npy can have; expected"),
    (lambda rows: rows[::-1].assign(classes=rows["classes"].to_list()), "line 2, column 'predicted': got 'predator'; "),
    (lambda rows: rows.iloc[:-1], "seed 1: got no row for 'predator/019.jpg'; expected the files of seed 0"),
    (lambda rows: rows[rows["file"] != "alien/000.jpg"].assign(classes=rows["classes"].to_list()[:38]),
     r"p.npy: got \(2, 20, 2\) as float64; expected probabilities \(2, 19, 2\)"),
    (lambda rows: rows.drop(columns="predicted"), "line 1: got no column p_<class> and no column 'predicted'; expe"),
    (lambda rows: rows.drop(columns="classes"), "line 1: got 0 columns p_<class>; expected at least two"),
    (lambda rows: rows.assign(classes=""), "line 2, column 'classes': got ''; expected the names of all classes"),
    (lambda rows: rows.assign(classes='["alien", "alien"]'), "line 2, column 'classes': got '.\"alien"),
    (lambda rows: rows.assign(classes='["alien", 2]'), "line 2, column 'classes': got '.\"alien"),
    (lambda rows: rows.assign(classes='["alien", "robot"]'), "line 3, column 'class': got 'predator', which is none of "
     "the classes; expected one of 'alien', 'robot'"),
    (lambda rows: rows.assign(predicted="robot"), "line 2, column 'predicted': got 'robot', which is none of the"),
    (lambda rows: rows.assign(class_probability="x"), "line 2, column 'class_probability': got 'x'; expected a probab"),
    (lambda rows: rows.assign(class_probability=1), "line 2, column 'class_probability': got 1; expected 0.[0-9]*, as"),
])
def test_rows_that_do_not_fit_are_refused(tmp_path, few, spoil, message):
    predictions_csv.write(draw_predictions(2, 20, 2), tmp_path / "p.csv")
    rows = pd.read_csv(tmp_path / "p.csv", keep_default_na=False)
    with pytest.raises(PredictionsError, match=message):
        written(spoil(rows), tmp_path / "p.csv")


def test_the_names_of_very_many_classes_are_read(tmp_path, few):
    names = tuple(f"a class with the number {number}" for number in range(6000))  # more than a field of csv may have
    predictions = predictions_of(np.eye(6000)[None, :3], np.arange(3), names)
    predictions_csv.write(predictions, tmp_path / "p.csv")
    assert predictions_csv.read(tmp_path / "p.csv").class_names == names


# memory

def test_no_more_than_a_few_seeds_are_in_memory(tmp_path, few):
    seeds, images, classes = 40, 60, 200  # two of 3.8 MB as float64, 96 kB a seed
    generator = np.random.default_rng(0)
    names = tuple(f"class {number}" for number in range(classes))

    def of_seed(seed):
        values = generator.random((images, classes))
        return values / values.sum(axis=1, keepdims=True)

    tracemalloc.start()
    for name in ("one", "other"):
        drawn = predictions_of(np.empty((seeds, 0, classes)), np.arange(0), names)
        drawn = replace(drawn, files=tuple(f"{image:03}" for image in range(images)), labels=np.arange(images),
                        units=np.arange(images), probabilities=SeedBySeed((seeds, images, classes), of_seed))
        predictions_csv.write(drawn, tmp_path / f"{name}.csv")
    one, other = pair(*(predictions_csv.read(tmp_path / f"{name}.csv") for name in ("one", "other")), ("A", "B"))
    everything(one, other)
    assert tracemalloc.get_traced_memory()[1] < 3e6
    tracemalloc.stop()


def test_reading_a_csv_file_takes_little_more_than_its_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(predictions_rows, "HELD", 4000)
    rows_of(draw_predictions(20, 50, 400, names=tuple(map(str, range(400))))).to_csv(tmp_path / "p.csv", index=False)
    tracemalloc.start()
    read = predictions_csv.read(tmp_path / "p.csv")
    assert tracemalloc.get_traced_memory()[1] < 3 * read.probabilities.nbytes
    tracemalloc.stop()


# what is made of them

def everything(one, other):
    """All that is computed of two predictions."""
    counts = plots.counts_of(one)
    tables = [plots.roc_curve(counts), plots.precision_recall_curve(counts), plots.confusion(one.deployed("mean")),
              gallery.table(gallery.groups(one, other), {"one": one, "other": other})]
    return [scores.summary(one, SETTINGS), ensemble.summary(one, SETTINGS), comparison.compare(one, other, SETTINGS),
            gate.judge(one, other, SETTINGS), gate.judge(one, one, SETTINGS), *(table.to_csv() for table in tables)]


@pytest.mark.parametrize("classes", [2, 4])
def test_seed_by_seed_gives_the_same(classes):
    one, other = (draw_predictions(3, 40, classes, rng=rng) for rng in (0, 1))
    assert everything(seed_by_seed(one), seed_by_seed(other)) == everything(one, other)


def test_classes_in_another_order_and_the_first_seeds_seed_by_seed():
    one, other = (draw_predictions(4, 30, 3, rng=rng) for rng in (0, 1))
    order = [2, 0, 1]
    turned = replace(other, class_names=tuple(other.class_names[label] for label in order),
                     labels=np.argsort(order)[other.labels], probabilities=other.probabilities[:, :, order])
    _, paired = pair(one, seed_by_seed(turned), ("A", "B"))
    assert same_probabilities(paired, other) and np.array_equal(paired.labels, other.labels)
    first = paired.first_seeds(2)
    assert first.probabilities.shape == (2, 30, 3) and same_probabilities(first, other.first_seeds(2))
    assert not same_probabilities(first, other) and not same_probabilities(one, other)


def test_stages_give_the_same_bytes_with_the_array(tmp_path, monkeypatch):
    stages = ("evaluate", "compare", "parity", "explain")
    results.write_run(tmp_path / "csv", classes=3)
    said = [results.run_stages(tmp_path / "csv", *stages)]
    monkeypatch.setattr(predictions_csv, "MOST_IN_CSV", 0)
    results.write_run(tmp_path / "array", classes=3)
    assert "p_alien" not in (tmp_path / "array/data/predictions/keras.csv").read_text("utf-8")
    said.append(results.run_stages(tmp_path / "array", *stages))
    assert said[0] == said[1] and results.written(tmp_path / "csv") == results.written(tmp_path / "array")
    predictions_npy.beside(tmp_path / "array/data/predictions/torch.csv").unlink()
    done = run_stage("compare", tmp_path / "array", *results.PAIR)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "data/predictions/torch.npy: No such file or directory; expected the probabilities beside" in done.stderr
