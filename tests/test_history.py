"""Learning curves against hand-made trainings and scikit-learn."""

import numpy as np
import pytest
from sklearn import metrics

from tests.helpers.predictions import draw_predictions
from versus.artifacts.heads import Trained
from versus.frameworks.history import learning_curves


def test_the_training_loss_of_an_epoch_is_the_mean_of_its_steps():
    probabilities = np.full((2, 3, 2), 0.5)
    curves = learning_curves(Trained([], np.array([4.0, 2, 1, 1]), probabilities), np.array([0, 1, 1]))
    assert curves["train_loss"].tolist() == [3.0, 1.0]
    assert curves["validation_loss"] == pytest.approx([np.log(2)] * 2)


@pytest.mark.parametrize("epochs, classes", [(1, 2), (4, 2), (5, 4)])
def test_every_epoch_is_scored_as_scikit_learn_does(epochs, classes):
    drawn = draw_predictions(epochs, 60, classes)
    of_epochs = drawn.probabilities.astype(np.float32)  # as training records them
    curves = learning_curves(Trained([], np.zeros(6 * epochs), of_epochs), drawn.labels)
    assert {name: values.shape for name, values in curves.items()} == dict.fromkeys(
        ("train_loss", "validation_loss", "validation_accuracy"), (epochs,))
    for epoch in range(epochs):
        values = of_epochs[epoch].astype(float)
        values /= values.sum(axis=1, keepdims=True)
        assert curves["validation_loss"][epoch] == pytest.approx(metrics.log_loss(drawn.labels, values))
        assert curves["validation_accuracy"][epoch] == metrics.accuracy_score(drawn.labels, values.argmax(1))


def test_the_arrays_of_a_training_are_left_as_they_are():
    probabilities = np.full((2, 3, 2), 0.25)
    learning_curves(Trained([], np.ones(4), probabilities), np.array([0, 1, 1]))
    assert (probabilities == 0.25).all()
