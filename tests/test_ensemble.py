"""All heads as one classifier: the mean of their probabilities, its scores, and the gain over single heads."""

import numpy as np
import pytest

from tests.helpers.predictions import draw_predictions
from versus import params
from versus.artifacts.predictions import Predictions
from versus.evaluation import ensemble, plots, scores
from versus.evaluation.comparison import compare
from versus.report import console, sentences

SETTINGS = params.Compare(margin=0.02, bootstrap=200, seed=0)
TITLES = ("Keras", "PyTorch")


def test_the_mean_of_two_heads_by_hand():
    """Each head is wrong on one image, with little confidence; the mean is right on all."""
    own = np.array([[0.9, 0.4, 0.9, 0.8], [0.4, 0.9, 0.8, 0.9]])  # probability of the true class
    predictions = Predictions((0, 1), ("a/1", "a/2", "a/3", "a/4"), ("a", "b"), np.zeros(4, int),
                              np.stack([own, 1 - own], axis=2))
    result = ensemble.summary(predictions, SETTINGS)
    assert result["ensemble_accuracy"] == 1 and result["ensemble_accuracy_gain"] == pytest.approx(0.25)
    assert result["ensemble_log_loss"] == pytest.approx(-np.log(own.mean(axis=0)).mean())
    assert result["ensemble_log_loss_gain"] == pytest.approx(-np.log(own.mean(axis=0)).mean() + np.log(own).mean())
    assert result["ensemble_accuracy_gain_low"] < 0.25 < result["ensemble_accuracy_gain_high"]


def test_equal_heads_gain_nothing():
    one = draw_predictions(1, 40, 3)
    result = ensemble.summary(one.with_probabilities(np.repeat(one.probabilities, 3, axis=0)), SETTINGS)
    assert abs(result["ensemble_accuracy_gain"]) < 1e-12 and abs(result["ensemble_log_loss_gain"]) < 1e-12


def test_the_saved_classifier_is_the_first_head_or_the_mean_of_all():
    predictions = draw_predictions(3, 20, 2)
    np.testing.assert_array_equal(predictions.deployed("first").probabilities, predictions.probabilities[:1])
    np.testing.assert_allclose(predictions.deployed("mean").probabilities[0], predictions.probabilities.mean(axis=0))
    record = {name: np.zeros((3, 2)) for name in ("train_loss", "validation_loss", "validation_accuracy")}
    record["probabilities"] = predictions.probabilities
    for deploy, scope in (("first", "20 images, first of 3 seeds"), ("mean", "20 images, mean of 3 seeds")):
        rows = plots.plots(predictions, record, deploy, "Keras")["confusion"]
        assert set(rows.pop("scope")) == {scope}
        assert rows.drop(columns="competitor").equals(plots.confusion(predictions.deployed(deploy)))


def test_table_and_sentence_show_the_gain_where_the_mean_is_saved():
    pair = [draw_predictions(3, 60, 2, rng=rng) for rng in (0, 1)]
    plain = [scores.summary(each, SETTINGS) for each in pair]
    saved = [each | ensemble.summary(own, SETTINGS) for each, own in zip(plain, pair)]
    result = compare(*pair, SETTINGS)
    text = sentences.ensemble(*saved, TITLES)
    for each, title in zip(saved, TITLES):
        assert f"{title} {each['ensemble_accuracy']:.3f}, {each['ensemble_accuracy_gain']:+.3f} (" in text
    assert sentences.ensemble(*plain, TITLES) == ""
    rows = console.comparison_table(*saved, result, TITLES)
    assert list(rows.columns[0].cells).count("… mean of all heads") == 2
    assert "… mean of all heads" not in list(console.comparison_table(*plain, result, TITLES).columns[0].cells)
