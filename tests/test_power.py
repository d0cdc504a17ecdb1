"""Power and sample sizes against simulated comparisons, and against statsmodels."""

import numpy as np
import pytest
from statsmodels.stats.power import TTestPower

from versus.evaluation.intervals import Bounds, VarianceComponents, interval, variance_components
from versus.evaluation.power import (MOST_SEEDS, MOST_UNITS, power, seeds_needed, smallest_difference, units_needed)


def components(mean, image, seed, noise, consistency, units, seeds):
    bounds = Bounds(1.0, consistency, consistency, consistency, 0.1, 1.0, 1.0, 1.0, False) if consistency else None
    return VarianceComponents(mean, image, seed, noise, units, seeds, bounds)


def test_power_is_that_of_simulated_comparisons():
    rng, decided, truth = np.random.default_rng(6), 0, components(0.0, 1.0, 0.1, 0.5, 0.0, units=120, seeds=10)
    for _ in range(2000):
        effects = rng.normal(0, 1, (1, 120)) + rng.normal(0, np.sqrt(0.1), (10, 1))
        low, high = interval(variance_components(0.4 + effects + rng.normal(0, np.sqrt(0.5), (10, 120))), 0.95)
        decided += low > 0 or high < 0
    assert decided / 2000 == pytest.approx(power(0.4, truth, 120, 10), abs=0.05)


@pytest.mark.parametrize("difference, units", [(0.1, 200), (0.3, 100), (0.5, 40)])
def test_power_of_one_seed_is_that_of_a_paired_t_test(difference, units):
    alone = components(0.0, 1.0, 0.0, 0.0, 0.0, units, seeds=1)
    expected = TTestPower().power(difference, units, 0.05)
    assert power(difference, alone, units, 1) == pytest.approx(expected, abs=0.01)


def test_power_of_a_difference_that_the_current_run_does_not_show():
    now = np.zeros((1, 200))
    now[0, :8] = [1, -1] * 4  # 2 % each way; with a difference of 0.06 it is 8 % one way
    needed = units_needed(0.06, variance_components(now, np.ones(200)), 1)
    rng, decided = np.random.default_rng(11), 0
    for _ in range(1000):
        differences = rng.choice([-1.0, 0, 1], p=[0.02, 0.90, 0.08], size=(1, needed))
        decided += interval(variance_components(differences, np.ones(needed)), 0.95)[0] > 0
    assert decided / 1000 == pytest.approx(0.8, abs=0.07)  # the exact test shows a little less
    nothing = variance_components(np.zeros((3, 50)), np.ones(50))
    assert units_needed(0.05, nothing, 3) > 1 / 0.05  # an image or more must differ


def test_the_smallest_difference_is_shown_with_80_percent_and_a_smaller_one_is_not():
    for variances in (components(0.03, 0.08, 0.0004, 0.03, 0.9, units=200, seeds=10),
                      components(0.0, 0.08, 0.0, 0.03, 0.0, units=57, seeds=3)):
        smallest = smallest_difference(variances)
        assert power(smallest, variances, variances.units, variances.seeds) >= 0.8
        assert power(smallest - 0.0005, variances, variances.units, variances.seeds) < 0.8


def test_the_smallest_difference_hardly_depends_on_the_difference_of_the_run():
    """The number of images that an observed difference would need did: 107 to 533 in ten draws of the views."""
    rng, smallest, needed = np.random.default_rng(7), [], []
    for _ in range(20):  # ten runs each, whose true difference is 0.03
        image = rng.choice([-0.8, 0.0, 0.8], p=[0.06, 0.84, 0.10], size=200)
        of_run = variance_components(rng.binomial(1, np.abs(image), (10, 200)) * np.sign(image), np.ones(200))
        smallest.append(smallest_difference(of_run))
        needed.append(units_needed(of_run.mean, of_run, 10))
    assert max(smallest) / min(smallest) < 1.5
    known = [number for number in needed if number > 0]
    assert len(known) < 20 or max(known) / min(known) > 3


def test_images_that_show_no_difference_at_all():
    assert smallest_difference(components(0.0, 1.0, 50.0, 0.0, 1.0, units=20, seeds=2)) == 1


def test_the_needed_units_are_enough_and_one_fewer_is_not():
    variances = components(0.03, 0.08, 0.0004, 0.03, 0.9, units=200, seeds=10)
    for difference in (0.03, 0.06):
        needed = units_needed(difference, variances, 10)
        assert power(difference, variances, needed, 10) >= 0.8 > power(difference, variances, needed - 1, 10)


def test_images_cannot_outweigh_seeds():
    variances = components(0.01, 0.08, 0.01, 0.03, 0.9, units=200, seeds=3)
    assert units_needed(0.01, variances, 3) == -1


def test_the_needed_units_are_at_most_ten_million():
    assert units_needed(1e-5, components(0, 0.08, 0, 0, 1, units=9, seeds=1), 1) == MOST_UNITS == 10_000_000


def test_the_needed_seeds_are_enough_and_one_fewer_is_not():
    variances = components(0.01, 0.08, 0.01, 0.03, 0.9, units=200, seeds=3)
    needed = seeds_needed(0.1, variances, 2000)
    assert 2 < needed < MOST_SEEDS
    assert power(0.1, variances, 2000, needed) >= 0.8 > power(0.1, variances, 2000, needed - 1)


def test_seeds_cannot_outweigh_images():
    assert seeds_needed(0.001, components(0.01, 0.08, 0.01, 0.03, 0.9, units=200, seeds=3), 200) == -1


def test_one_seed_says_nothing_of_how_many_are_needed():
    with pytest.raises(ValueError, match="raise train.seeds"):
        seeds_needed(0.1, components(0, 0.08, 0, 0, 1, units=9, seeds=1), 200)
