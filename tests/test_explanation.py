from itertools import permutations

import numpy as np
import pytest

from versus import explanation, params
from versus.conventions import TABLE


def conventions(everything="native", **single):
    return params.Conventions(**dict.fromkeys(TABLE, "all") | {"all": everything} | single)


def by_permutations(values, count):
    """Shapley's shares by their other definition: the mean over all orders of what each adds when its turn comes."""
    shares = np.zeros(count)
    orders = list(permutations(range(count)))
    for order in orders:
        reached = 0
        for j in order:
            shares[j] += values[reached | 1 << j] - values[reached]
            reached |= 1 << j
    return shares / len(orders)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_shares_equal_the_mean_over_all_orders(count):
    values = np.random.default_rng(count).normal(size=2**count)
    np.testing.assert_allclose(explanation.shapley(count) @ values, by_permutations(values, count), atol=1e-12)
    assert (explanation.shapley(count) @ values).sum() == pytest.approx(values[-1] - values[0])


def test_glove_game():
    """The textbook game: players 0 and 1 hold left gloves, 2 a right one; a pair is worth 1 (shares 1/6, 1/6, 4/6)."""
    values = [0, 0, 0, 0, 0, 1, 1, 1]
    np.testing.assert_allclose(explanation.shapley(3) @ values, [1 / 6, 1 / 6, 4 / 6])


def test_interaction_of_a_product_and_of_a_sum():
    bits = np.array([[index >> j & 1 for j in range(3)] for index in range(8)])
    np.testing.assert_allclose(explanation.interactions(3) @ (bits @ [1.0, 2.0, 3.0]), 0, atol=1e-12)
    np.testing.assert_allclose(explanation.interactions(3) @ (bits[:, 0] * bits[:, 2]), [0, 1, 0], atol=1e-12)


def test_only_conventions_that_differ_are_factors():
    assert explanation.factors(conventions()) == list(TABLE)
    assert explanation.factors(conventions("torch")) == []
    assert explanation.factors(conventions("keras", adam="native")) == ["adam"]
    (only,) = explanation.combinations(conventions("torch"))
    assert only.batch_norm == "batch"


def test_combinations_count_in_bits():
    found = explanation.combinations(conventions())
    assert len(set(found)) == 64
    assert (found[0].decode, found[0].adam) == ("fast", "uncorrected")
    assert (found[1].decode, found[1].resize) == ("accurate", "interpolated")
    assert (found[63].decode, found[63].adam) == ("accurate", "corrected")


def simulate(effects, seeds=6, images=300, seed=0):
    """Probabilities of all combinations whose logits move by `effects`, with the same noise in each."""
    generator = np.random.default_rng(seed)
    noise = generator.normal(size=(seeds, images)) + generator.normal(size=images) * 2 + 1
    labels = generator.integers(2, size=images)
    bits = np.array([[index >> j & 1 for j in range(len(effects))] for index in range(2 ** len(effects))])
    own = 1 / (1 + np.exp(-(noise + (bits @ effects)[:, None, None])))  # (combinations, seeds, images)
    probabilities = np.where(labels[:, None], np.stack([1 - own, own], -1), np.stack([own, 1 - own], -1))
    return probabilities, labels


def test_a_planted_cause_is_named_and_no_other():
    probabilities, labels = simulate([0.0, -1.0, 0.0])
    names = ["decode", "batch_norm", "adam"]
    shares = explanation.explain(names, probabilities, probabilities[[0, -1]], labels, params.load().compare)
    accuracy = shares[shares.metric == "accuracy"].set_index("name")
    assert accuracy.loc["batch_norm"].high < 0
    for name in ("decode", "adam"):
        assert tuple(accuracy.loc[name, ["share", "low", "high"]]) == (0, 0, 0)
    assert accuracy.loc["batch_norm"].share == pytest.approx(accuracy.loc["all conventions"].share)
    assert accuracy.loc["not explained"].share == 0
    summary = explanation.summary(shares, probabilities[[0, -1]], labels)
    assert np.isfinite(list(summary.values())).all()
    assert summary["accuracy_resize"] == 0  # the frameworks agree in it


def test_what_no_convention_explains_is_shown():
    probabilities, labels = simulate([-0.1])
    elsewhere, _ = simulate([-2.0])
    shares = explanation.explain(["adam"], probabilities, elsewhere[[0, 1]], labels, params.load().compare)
    residual = shares[(shares.metric == "accuracy") & (shares.kind == "residual")].iloc[0]
    assert residual.high < 0


def test_equal_conventions_leave_nothing_to_explain():
    probabilities, labels = simulate([])
    shares = explanation.explain([], probabilities, probabilities[[0, 0]], labels, params.load().compare)
    assert (shares.share == 0).all()
    steps = explanation.waterfall(shares, probabilities[[0, 0]], labels).step
    assert list(steps) == ["Keras", "not explained", "PyTorch"]


def test_waterfall_reaches_from_one_framework_to_the_other():
    probabilities, labels = simulate([0.3, -1.0, 0.2])
    natives = probabilities[[0, -1]]
    names = ["decode", "batch_norm", "adam"]
    shares = explanation.explain(names, probabilities, natives, labels, params.load().compare)
    steps = explanation.waterfall(shares, natives, labels)
    assert list(steps.step)[:2] == ["Keras", "batch_norm"]
    np.testing.assert_allclose(steps.start[1:-1], steps.end[:-2])
    assert steps.end.iloc[-2] == pytest.approx(steps.end.iloc[-1])


def test_luck_counts_pairs_of_seeds():
    right = np.array([[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 1, 1]])  # accuracies 1, 0.75, 1
    native = np.stack([1 - right, right], axis=2).astype(float)
    labels = np.ones(4, int)
    assert explanation.luck([native, native], labels, difference=0.25) == pytest.approx(2 / 3)
    assert explanation.luck([native[:1], native[:1]], labels) == 0
