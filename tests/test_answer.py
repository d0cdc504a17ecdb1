"""The few numbers that are registered as metrics: which they are, whatever a run finds."""

import pandas as pd
import pytest

from versus.evaluation.comparison import EQUIVALENT, ONE_BETTER, OTHER_BETTER, UNDECIDED
from versus.frameworks import COMPETITORS
from versus.report import answer, sentences

PAIR = COMPETITORS["keras"], COMPETITORS["torch"]
SCORES = {"accuracy": 0.9, "log_loss": 0.3, "roc_auc": 0.95, "ece": 0.04, "brier": 0.1}
RESULT = {"accuracy_difference": 0.02, "accuracy_low": -0.01, "accuracy_high": 0.05, "p_value": 0.2,
          "verdict": UNDECIDED, "part": "test", "images": 57, "units": 41}
NAMES = {"accuracy", "keras/log_loss", "keras/roc_auc", "keras/calibration", "torch/log_loss", "torch/roc_auc",
         "torch/calibration", "part", "images", "units"}


def test_a_comparison_is_the_accuracies_and_one_value_in_every_other_file():
    files = answer.of_comparison(PAIR, SCORES, SCORES | {"accuracy": 0.92, "ece": 0.01}, RESULT)
    assert files.keys() == NAMES
    assert files.pop("accuracy") == {"keras": 0.9, "torch": 0.92, "difference": 0.02, "low": -0.01, "high": 0.05,
                                     "p": 0.2, "verdict": "undecided"}
    assert all(values.keys() == {"value"} for values in files.values())
    assert files["torch/calibration"] == {"value": 0.01} and files["part"] == {"value": "test"}
    assert (files["images"], files["units"]) == ({"value": 57}, {"value": 41})


def test_a_score_that_the_images_do_not_define_keeps_its_file():
    scores = {name: value for name, value in SCORES.items() if name != "roc_auc"}
    files = answer.of_comparison(PAIR, scores, scores, RESULT)
    assert files.keys() == NAMES and files["keras/roc_auc"] == files["torch/roc_auc"] == {}


@pytest.mark.parametrize("verdict, words", [(ONE_BETTER, "Keras better"), (OTHER_BETTER, "PyTorch better"),
                                            (EQUIVALENT, "equivalent"), (UNDECIDED, "undecided")])
def test_a_verdict_is_two_words_at_most(verdict, words):
    assert answer.of_comparison(PAIR, SCORES, SCORES, RESULT | {"verdict": verdict})["accuracy"]["verdict"] == words


def shares(*rows):
    """Shares of the accuracy: (name, share, significant)."""
    return pd.DataFrame([{"metric": "accuracy", "kind": "convention", "name": name, "share": share,
                          "significant": significant} for name, share, significant in rows],
                        columns=["metric", "kind", "name", "share", "significant"])


@pytest.mark.parametrize("rows, cause, share", [
    ([("adam", 0.01, True), ("batch_norm", -0.05, True), ("resize", -0.09, False)], "batch_norm", -0.05),
    ([("batch_norm", -0.05, False)], "none", 0.0), ([], "none", 0.0)])
def test_the_cause_is_the_largest_significant_share(rows, cause, share):
    assert answer.of_explanation(shares(*rows), sentences.NOT_JUDGED) == {
        "cause": {"value": cause}, "share": {"value": share}, "complete": {"value": "not judged"}}
