"""The parts of the split that are there, and the one whose images are scored."""

from dataclasses import replace

import pytest

from tests.helpers.cases import lay
from tests.helpers.predictions import draw_predictions
from versus.artifacts import predictions_csv
from versus.images import dataset
from versus.images.dataset import PartError


@pytest.mark.parametrize("choice, with_test, expected", [
    ("auto", False, "validation"), ("auto", True, "test"), ("validation", True, "validation"), ("test", True, "test")])
def test_scores_are_of_the_test_part_where_there_is_one(tmp_path, choice, with_test, expected):
    parts = ["train", "validation"] + ["test"] * with_test
    lay(tmp_path, *(f"{part}/a" for part in parts))
    assert dataset.parts(tmp_path) == parts
    assert dataset.compared_part(tmp_path, choice) == expected


def test_a_test_part_that_is_not_there_is_refused(tmp_path):
    lay(tmp_path, "train/a", "validation/a")
    with pytest.raises(PartError, match="compare.part: got 'test', but there is no test part; .*split.test above 0"):
        dataset.compared_part(tmp_path, "test")


@pytest.mark.parametrize("part", ["", "validation", "test"])
def test_predictions_say_of_which_part_they_are(tmp_path, part):
    predictions = replace(draw_predictions(2, 6, 2), part=part)
    predictions_csv.write(predictions, tmp_path / "p.csv")
    assert predictions_csv.read(tmp_path / "p.csv").part == part
