"""The chance that two runs differ, counted over pairs: against simulated runs and formulas written out."""

import numpy as np
import pytest
from scipy import stats

from versus.evaluation.chance import chance_of_gap

GAP = 0.035


def normal(rng, seeds):
    return 0.9 + 0.017 * rng.normal(size=seeds)


def with_outliers(rng, seeds):
    return 0.9 + 0.008 * rng.normal(size=seeds) - 0.06 * (rng.random(seeds) < 0.1)


@pytest.mark.parametrize("draw", [normal, with_outliers])
@pytest.mark.parametrize("images", [200, 153])  # 0.035 times 153 is no whole number
def test_the_chance_is_that_of_many_pairs(draw, images):
    rng = np.random.default_rng(0)
    first, second = (np.round(draw(rng, 100_000) * images) / images for _ in range(2))
    truth = np.mean(np.abs(first - second) >= GAP - 1e-9)
    estimates = [chance_of_gap(np.round(draw(rng, 10) * images) / images, GAP) for _ in range(1000)]
    assert np.mean([share for share, _, _ in estimates]) == pytest.approx(truth, abs=0.015)
    assert np.mean([low <= truth <= high for _, low, high in estimates]) >= 0.91


def test_the_interval_is_wilsons_for_as_many_independent_pairs():
    accuracies = np.array([0.80, 0.81, 0.85, 0.86, 0.90, 0.84])
    share, low, high = chance_of_gap(accuracies, GAP)
    pairs = [abs(a - b) >= GAP - 1e-9 for i, a in enumerate(accuracies) for b in accuracies[:i]]
    assert share == pytest.approx(np.mean(pairs))
    without = [chance_of_gap(np.delete(accuracies, k), GAP)[0] for k in range(6)]
    number = share * (1 - share) / (5 / 6 * np.square(np.array(without) - np.mean(without)).sum())
    assert 2 < number < 6
    z = stats.norm.ppf(0.975)
    for limit in (low, high):  # the ends of Wilson's interval solve this
        assert (share - limit)**2 == pytest.approx(z**2 * limit * (1 - limit) / number)


def test_runs_that_all_agree_are_no_proof_that_no_two_ever_differ():
    share, low, high = chance_of_gap(np.full(10, 0.9), GAP)
    assert (share, low) == (0, 0) and high == pytest.approx(stats.binomtest(0, 5).proportion_ci(method="wilson").high)


def test_two_runs_are_one_pair():
    assert chance_of_gap(np.array([0.8, 0.9]), GAP)[0] == 1 and chance_of_gap(np.array([0.8, 0.8]), GAP)[0] == 0
    assert chance_of_gap(np.array([0.885, 0.92]), GAP)[0] == 1  # or more, in spite of rounding
