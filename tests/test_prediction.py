"""Predictions of saved heads: each seed when it is asked for, and the check against those of training."""

import tracemalloc

import numpy as np
import pytest

from versus.artifacts import heads
from versus.artifacts.heads import Trained
from versus.artifacts.seed_by_seed import SeedBySeed
from versus.evaluation import parity
from versus.frameworks.prediction import MismatchError, check_same, predict_seeds

VALUES = np.random.default_rng(0).dirichlet([1, 1, 1], (3, 20)).astype(np.float32)


class Scaling:
    """A head that multiplies features with its kernel, and counts what it computes."""

    def __init__(self):
        self.kernel, self.computed = None, 0

    def reset(self, weights):
        self.kernel = weights[1][0]

    def probabilities(self, features):
        self.computed += 1
        return features @ self.kernel


def test_each_seed_is_computed_with_its_own_weights_when_it_is_asked_for():
    rng, head = np.random.default_rng(0), Scaling()
    weights = [[(rng.normal(size=(4, 4)), np.zeros(4)), (rng.normal(size=(4, 3)), np.zeros(3))] for _ in range(3)]
    features = rng.normal(size=(20, 4))
    predicted = predict_seeds(head, weights, features)
    assert predicted.shape == (3, 20, 3) and head.computed == 0
    assert np.array_equal(predicted[2], features @ weights[2][1][0]) and head.computed == 1
    for of_seed, own in zip(predicted, weights, strict=True):
        assert np.array_equal(of_seed, features @ own[1][0])
    assert np.array_equal(predicted[-1], predicted[2]) and len(predicted[:2]) == 2
    with pytest.raises(IndexError):
        predicted[3]


def moved(value):
    values = VALUES.copy()
    values[2, 19, 1] += value
    return values


def test_the_same_but_for_rounding_passes():
    for expected in (VALUES, moved(1e-6), SeedBySeed(VALUES.shape, lambda seed: VALUES[seed])):
        check_same(VALUES, expected, "those of training")


@pytest.mark.parametrize("other, message", [
    (moved(1e-3), r"got probabilities \(3, 20, 3\) that differ by 0.001 from those of training \(3, 20, 3\); expected "
     "at most 0.0001: the model and the features are not from the same run; run `dvc repro --force`"),
    (moved(2e-4), "that differ by 0.0002"), (moved(np.nan), "that differ by nan"),
    (VALUES[:2], r"that differ by inf from those of training \(2, 20, 3\)"),
    (VALUES[:, :19], "that differ by inf"),
])
def test_others_are_refused(other, message):
    with pytest.raises(MismatchError, match=message):
        check_same(VALUES, other, "those of training")
    with pytest.raises(MismatchError):
        check_same(other, VALUES, "those of training")


def test_the_probabilities_of_training_are_read_seed_by_seed(tmp_path):
    trained = (Trained([], np.arange(4.0), of_seed, {"train_loss": np.ones(2)}) for of_seed in VALUES)
    heads.record(trained, len(VALUES), tmp_path)
    record = heads.read_record(tmp_path)
    assert record.keys() == {"losses", "train_loss", "probabilities"} and record["train_loss"].shape == (3, 2)
    assert isinstance(record["probabilities"], SeedBySeed) and record["probabilities"].shape == VALUES.shape
    assert np.array_equal(list(record["probabilities"]), VALUES)


def test_one_seed_of_a_training_is_in_memory_at_a_time(tmp_path):
    """While it is recorded, and while two are compared, which takes as much as eight."""
    seeds, side = 16, 2**10  # images and classes
    trained = (Trained([(np.ones((1, 1)), np.ones(1))] * 2, np.ones(2), np.full((side, side), seed, np.float32))
               for seed in range(seeds))
    tracemalloc.start()
    heads.save(heads.record(trained, seeds, tmp_path), tmp_path / "heads.safetensors")
    recorded = [heads.Recorded(tmp_path / "heads.safetensors", tmp_path) for _ in range(2)]
    assert parity.measure_heads(*recorded)["probabilities"] == 0
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * 4 * side**2
