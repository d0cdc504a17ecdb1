"""The loop that every framework's trainer steps through, with a trainer that records what it is given."""

import tracemalloc

import numpy as np
import pytest

from tests.helpers.predictions import draw_predictions
from versus.artifacts.features import Features
from versus.frameworks.training import fit

STEPS = [[np.array([0, 4]), np.array([2])], [np.array([1, 3]), np.array([5])]]  # two epochs of two views of 3 images
FEATURES = Features(np.arange(6.0).reshape(2, 3, 1), {"validation": np.zeros((2, 60, 1)) + [[[0.0]], [[1.0]]]})
LABELS = np.array([7, 8, 9])


class Recorder:
    """A trainer whose losses are the means of the batch, and whose probabilities tell passes apart."""

    widths = [1, 1, 2]

    def __init__(self):
        self.batches, self.passes = [], []
        self.drawn = draw_predictions(2, 60, 2).probabilities

    def reset(self, weights):
        self.initial = weights

    def step(self, features, labels):
        self.batches.append((features.ravel().tolist(), labels.tolist()))
        return float(features.mean())

    def probabilities(self, features):
        self.passes.append(int(features[0, 0]))
        return self.drawn[self.passes[-1]]

    def weights(self):
        return "trained"


def test_batches_are_rows_of_all_views_with_the_labels_of_their_images():
    recorder = Recorder()
    trained = fit(recorder, "initial", STEPS, FEATURES, LABELS)
    assert (recorder.initial, trained.weights) == ("initial", "trained")
    assert recorder.batches == [([0, 4], [7, 8]), ([2], [9]), ([1, 3], [8, 7]), ([5], [9])]
    assert trained.losses.tolist() == [2, 2, 2, 5]


def test_without_their_classes_images_are_classified_once():
    recorder = Recorder()
    trained = fit(recorder, None, STEPS, FEATURES, LABELS)
    assert recorder.passes == [1] and not trained.curves
    np.testing.assert_array_equal(trained.probabilities, recorder.drawn[1])


def test_with_their_classes_every_epoch_is_scored():
    recorder, labels = Recorder(), draw_predictions(2, 60, 2).labels
    trained = fit(recorder, None, STEPS, FEATURES, LABELS, part_labels=labels)
    np.testing.assert_array_equal(trained.probabilities, recorder.drawn[1])
    assert trained.curves["train_loss"].tolist() == [2, 3.5]
    assert trained.curves["validation_accuracy"] == pytest.approx(
        [(of_epoch.argmax(axis=1) == labels).mean() for of_epoch in recorder.drawn])


def test_the_last_plain_features_are_those_of_all_later_epochs():
    recorder = Recorder()
    trained = fit(recorder, None, STEPS * 2, FEATURES, LABELS, part_labels=draw_predictions(2, 60, 2).labels)
    assert recorder.passes == [0, 1, 1, 1] and len(trained.curves["train_loss"]) == 4


def test_probabilities_of_one_epoch_are_in_memory_at_a_time():
    class Large(Recorder):
        def probabilities(self, features):
            return np.full((2**10, 2**8), 2.0**-8, np.float32)

    tracemalloc.start()
    fit(Large(), None, STEPS * 20, FEATURES, LABELS, part_labels=np.zeros(2**10, int))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * 4 * 2**18  # scoring takes some copies in float64
