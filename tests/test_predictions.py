"""Predictions in memory and as files: what is read is what was written, and two that do not go together are refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from tests.helpers.predictions import NAMES, draw_predictions, predictions_of, rows_of, written
from versus.artifacts import predictions_csv
from versus.artifacts.predictions import PredictionsError, pair, some
from versus.evaluation import scores
from versus.params import Compare

TITLES = ("Forest", "Logistic")
ODD_NAMES = ("NA", "None", "p_x")  # names that pandas or the prefix could swallow


def assert_equal(read, expected):
    """Compare predictions, whatever the order of the images of `expected`."""
    order = sorted(range(len(expected.files)),
                   key=lambda i: (expected.class_names[expected.labels[i]], expected.files[i]))
    assert (read.seeds, read.class_names) == (expected.seeds, expected.class_names)
    assert read.files == tuple(expected.files[i] for i in order)
    assert np.array_equal(read.labels, expected.labels[order])
    np.testing.assert_allclose(read.probabilities, expected.probabilities[:, order], rtol=1e-14)


# in memory

def test_predicted_classes_correctness_and_losses_are_those_of_scikit_learn():
    predictions = draw_predictions(3, 40, 4)
    for seed, values in enumerate(predictions.probabilities):
        assert np.array_equal(predictions.predicted[seed], values.argmax(axis=1))
        assert predictions.correct[seed].mean() == metrics.accuracy_score(predictions.labels, values.argmax(axis=1))
        assert predictions.log_losses[seed].mean() == pytest.approx(metrics.log_loss(predictions.labels, values))


def test_of_equal_probabilities_the_first_class_is_predicted_and_a_loss_is_always_finite():
    predictions = predictions_of(np.array([[[0.5, 0.5], [0.0, 1.0], [1.0, 0.0]]]), np.array([0, 0, 0]))
    assert predictions.predicted.tolist() == [[0, 1, 0]] and predictions.correct.tolist() == [[True, False, True]]
    assert predictions.log_losses[0] == pytest.approx([np.log(2), -np.log(np.finfo(float).eps), 0])


def test_first_seeds_and_other_probabilities_are_of_the_same_images():
    predictions = draw_predictions(4, 20, 3)
    first = predictions.first_seeds(2)
    assert first.seeds == (0, 1) and np.array_equal(first.probabilities, predictions.probabilities[:2])
    other = predictions.with_probabilities(predictions.probabilities[2:])
    assert other.seeds == (0, 1) and np.array_equal(other.probabilities, predictions.probabilities[2:])
    assert first.files == other.files == predictions.files and other.labels is predictions.labels


@pytest.mark.parametrize("values, expected", [
    ([], ""), ([1], "1"), (["a", "b", "c"], "'a', 'b', 'c'"), (list(range(1003)), "0, 1, 2 and 1,000 more"),
])
def test_a_list_in_an_error_is_short(values, expected):
    assert some(values) == expected


# files

def test_predictions_are_read_as_they_were_written(tmp_path):
    predictions = draw_predictions(3, 30, 3, names=ODD_NAMES)
    rows = rows_of(predictions).sample(frac=1, random_state=0)
    assert_equal(written(rows, tmp_path / "p.csv"), predictions)
    predictions_csv.write(predictions, tmp_path / "new/folder/p.csv")
    assert_equal(predictions_csv.read(tmp_path / "new/folder/p.csv"), predictions)


def test_written_rows_are_in_the_order_of_seeds_then_images(tmp_path):
    predictions = draw_predictions(2, 4, 2)
    predictions_csv.write(predictions, tmp_path / "p.csv")
    rows = pd.read_csv(tmp_path / "p.csv")
    assert list(rows) == ["seed", "file", "class", "unit", "p_alien", "p_predator"]
    assert rows["seed"].tolist() == [0] * 4 + [1] * 4 and rows["file"].tolist() == [*predictions.files] * 2


def test_the_order_of_rows_and_columns_and_further_columns_do_not_matter(tmp_path):
    predictions = draw_predictions(2, 30, 3)
    rows = rows_of(predictions).assign(split="test", **{"Unnamed: 0": "", "predicted": "robot"})
    rows.insert(0, "weight", 0.5)
    shuffled = rows.sample(frac=1, random_state=1)
    columns = ["split", "p_robot", "file", "weight", "p_alien", "class", "seed", "p_predator", "predicted"]
    read = written(shuffled[columns], tmp_path / "p.csv")
    assert read.class_names == ("robot", "alien", "predator")  # in the order of the columns
    assert_equal(pair(predictions_csv_sorted(predictions, tmp_path), read, TITLES)[1], predictions)


def predictions_csv_sorted(predictions, folder):
    """Return the same predictions with their images sorted, as reading gives them."""
    predictions_csv.write(predictions, folder / "sorted.csv")
    return predictions_csv.read(folder / "sorted.csv")


@pytest.mark.parametrize("names", [
    ("tree frog", "sea  lion"), ("a, b", 'c "d"'), ("Bär", "猫"), ("p_", "p_p_"), ("0", "1"), ("line\nbreak", "tab\t"),
    ("NaN", "null"), (" a", "a"), ("1.0", "1"), ("seed", "file"), ("class", "p_class"), ("[bold]", ":smile:"),
])
def test_classes_may_have_any_name(tmp_path, names):
    predictions = draw_predictions(2, 20, 2, names=names)
    assert_equal(written(rows_of(predictions), tmp_path / "p.csv"), predictions)


@pytest.mark.parametrize("name", ["NA", "", "0012", "1e5", 'a,"b"', "a\r\nb", "ä/ö.jpg", " x "])
def test_images_may_have_any_name(tmp_path, name):
    predictions = draw_predictions(2, 2, 2)
    predictions = replace(predictions, files=(name, "other"))
    assert_equal(written(rows_of(predictions), tmp_path / "p.csv"), predictions)


@pytest.mark.parametrize("convert", [
    lambda text: text.encode("utf-8-sig"),
    lambda text: text.replace("\n", "\r\n").encode(),
    lambda text: text.replace("\n", "\r").encode(),
    lambda text: text.replace("\n", "\r\n").encode("utf-8-sig").rstrip(),
    lambda text: text.replace("\n", "\n\n").encode(),
    lambda text: "\n".join(",".join(f'"{field}"' for field in line.split(",")) for line in text.splitlines()).encode(),
])
def test_files_of_any_program_are_read(tmp_path, convert):
    predictions = draw_predictions(2, 20, 3, names=("Bär", "猫", "x"))
    (tmp_path / "p").write_bytes(convert(rows_of(predictions).to_csv(index=False)))
    assert_equal(predictions_csv.read(tmp_path / "p"), predictions)


def test_seeds_may_be_any_whole_numbers(tmp_path):
    predictions = replace(draw_predictions(3, 20, 2), seeds=(-3, 2**60, 2**60 + 1))  # the last two are one as floats
    assert_equal(written(rows_of(predictions), tmp_path / "p.csv"), predictions)
    rows = rows_of(replace(predictions, seeds=(0, 1, 2)))
    rows["seed"] = rows["seed"].map({0: "0.0", 1: "01", 2: "2e0"})
    assert written(rows, tmp_path / "p.csv").seeds == (0, 1, 2)


def test_a_class_of_which_no_image_exists_stays_a_class(tmp_path):
    predictions = draw_predictions(2, 30, 3)
    rows = rows_of(predictions)
    read = written(rows[rows["class"] != "predator"], tmp_path / "p.csv")
    assert read.class_names == NAMES[:3] and set(read.labels) == {0, 2}


def test_probabilities_may_be_exactly_0_or_1(tmp_path):
    predictions = predictions_of(np.eye(3)[[[0, 1, 2], [1, 1, 1]]], np.array([0, 1, 2]))
    assert_equal(written(rows_of(predictions).astype({f"p_{name}": int for name in NAMES[:3]}), tmp_path / "p.csv"),
                 predictions)


def test_single_precision_sums_are_repaired_without_a_warning(tmp_path, recwarn):
    rows = rows_of(draw_predictions(2, 30, 2))
    read = written(rows.astype({"p_alien": np.float32, "p_predator": np.float32}), tmp_path / "p.csv")
    np.testing.assert_allclose(read.probabilities.sum(axis=2), 1, rtol=1e-15)
    scores.summary(read, Compare(margin=0.02, bootstrap=100, seed=0))
    assert not recwarn.list


# pairs

def test_the_classes_of_the_other_take_the_order_of_the_one(tmp_path):
    one, other = (draw_predictions(2, 30, 3, rng=rng) for rng in (0, 1))
    for index, predictions in enumerate((one, other)):
        predictions_csv.write(predictions, tmp_path / f"{index}.csv")
    in_order = predictions_csv.read(tmp_path / "1.csv")
    columns = ["p_robot", "class", "p_alien", "file", "p_predator", "seed"]
    pd.read_csv(tmp_path / "1.csv")[columns].to_csv(tmp_path / "1.csv", index=False)
    one, other = pair(predictions_csv.read(tmp_path / "0.csv"), predictions_csv.read(tmp_path / "1.csv"), TITLES)
    assert one.class_names == other.class_names and one.files == other.files
    assert np.array_equal(one.labels, other.labels)
    np.testing.assert_allclose(other.probabilities, in_order.probabilities, rtol=1e-15)


def test_pairs_must_have_the_same_seeds_files_and_classes():
    whole = draw_predictions(6, 10, 2)
    assert pair(whole, whole, TITLES)[1].class_names == whole.class_names
    fewer = replace(whole.first_seeds(2), files=(*whole.files[1:], "extra.jpg"), class_names=("alien", "star"))
    with pytest.raises(PredictionsError) as refused:
        pair(whole, fewer, TITLES)
    for problem in ("Forest and Logistic cannot be compared: ",
                    "Logistic has no predictions for the seeds 2, 3, 4 and 1 more",
                    "Logistic has no predictions for the files 'alien/000.jpg'; "
                    "Forest has no predictions for the files 'extra.jpg'",
                    "Logistic has no predictions for the classes 'predator'; "
                    "Forest has no predictions for the classes 'star'",
                    "expected the same seeds, files, classes and units in both"):
        assert problem in str(refused.value)


def test_pairs_must_have_the_same_true_classes(tmp_path):
    predictions = draw_predictions(1, 6, 2)
    other = rows_of(predictions)
    other.loc[other["file"] == "alien/002.jpg", "class"] = "predator"  # and so in another place among the sorted images
    with pytest.raises(PredictionsError, match="the true class differs for 'alien/002.jpg'; expected"):
        pair(written(rows_of(predictions), tmp_path / "one.csv"), written(other, tmp_path / "other.csv"), TITLES)


# units

def with_units(values, images=6):
    """The rows of two seeds, whose images have the units `values`."""
    rows = rows_of(draw_predictions(2, images, 2))
    return rows.assign(unit=np.tile(values, 2))


def test_without_units_each_image_is_alone():
    predictions = draw_predictions(2, 6, 2)
    assert predictions.units.tolist() == [0, 1, 2, 3, 4, 5] and predictions.independent == 6


def test_units_are_read_and_written(tmp_path):
    read = written(with_units(["Ann", "Bob", "Ann", "", "Bob", " "]), tmp_path / "p.csv")
    assert read.units.tolist() == [0, 1, 0, 2, 1, 3] and read.independent == 4
    predictions_csv.write(read, tmp_path / "again.csv")
    assert np.array_equal(predictions_csv.read(tmp_path / "again.csv").units, read.units)


def test_a_unit_must_be_the_same_in_every_seed(tmp_path):
    rows = with_units(list("abcdef"))
    rows.iloc[7, rows.columns.get_loc("unit")] = "other"
    with pytest.raises(PredictionsError, match="got several units for 'alien/002.jpg|got several units for 'predator"):
        written(rows, tmp_path / "p.csv")


def test_units_of_one_of_two_files_are_those_of_both(tmp_path):
    one = written(with_units(["a", "a", "b", "b", "c", "d"]), tmp_path / "one.csv")
    other = written(with_units(["x"] * 6).drop(columns="unit"), tmp_path / "other.csv")
    for first, second in ((one, other), (other, one)):
        for each in pair(first, second, TITLES):
            assert np.array_equal(each.units, one.units)


def test_pairs_must_have_the_same_units_whatever_their_names(tmp_path):
    one = written(with_units(["a", "a", "b", "b", "c", "d"]), tmp_path / "one.csv")
    renamed = written(with_units(["k", "k", "z", "z", "e", "f"]), tmp_path / "renamed.csv")
    assert np.array_equal(pair(one, renamed, TITLES)[1].units, one.units)
    with pytest.raises(PredictionsError, match="the units differ for .*; expected the same seeds, files, classes and "):
        pair(one, written(with_units(["a", "b", "b", "a", "c", "d"]), tmp_path / "other.csv"), TITLES)
