"""Learning curves against hand-made epochs and scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics

from tests.helpers.predictions import draw_predictions
from versus.frameworks.history import score_epoch


def test_the_training_loss_of_an_epoch_is_the_mean_of_its_steps():
    scores = score_epoch([4.0, 2.0], np.full((3, 2), 0.5), np.array([0, 1, 1]))
    assert scores == {"train_loss": 3.0, "validation_loss": pytest.approx(np.log(2)),
                      "validation_accuracy": pytest.approx(1 / 3)}


@pytest.mark.parametrize("classes", [2, 4])
def test_an_epoch_is_scored_as_scikit_learn_does(classes):
    drawn = draw_predictions(1, 60, classes)
    probabilities = drawn.probabilities[0].astype(np.float32)  # as training has them
    scores = score_epoch([1.0], probabilities, drawn.labels)
    values = probabilities.astype(float)
    values /= values.sum(axis=1, keepdims=True)
    assert scores["validation_loss"] == pytest.approx(metrics.log_loss(drawn.labels, values))
    assert scores["validation_accuracy"] == metrics.accuracy_score(drawn.labels, values.argmax(1))


def test_probabilities_are_left_as_they_are():
    probabilities = np.full((3, 2), 0.25)
    score_epoch([1.0], probabilities, np.array([0, 1, 1]))
    assert (probabilities == 0.25).all()
