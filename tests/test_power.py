"""Power and sample sizes against simulated comparisons."""

import numpy as np
import pytest

from versus.evaluation.intervals import VarianceComponents, interval, variance_components
from versus.evaluation.power import MOST_IMAGES, MOST_SEEDS, images_needed, power, seeds_needed


def components(mean, image, seed, noise, consistency, images, seeds):
    return VarianceComponents(mean, image, seed, noise, consistency, consistency, consistency, images, seeds)


def test_power_is_that_of_simulated_comparisons():
    rng, decided, truth = np.random.default_rng(6), 0, components(0.0, 1.0, 0.1, 0.5, 0.0, images=120, seeds=10)
    for _ in range(2000):
        effects = rng.normal(0, 1, (1, 120)) + rng.normal(0, np.sqrt(0.1), (10, 1))
        low, high = interval(variance_components(0.4 + effects + rng.normal(0, np.sqrt(0.5), (10, 120))), 0.95)
        decided += low > 0 or high < 0
    assert decided / 2000 == pytest.approx(power(0.4, truth, 120, 10), abs=0.05)


def test_power_of_a_difference_that_the_current_run_does_not_show():
    now = np.zeros((1, 200))
    now[0, :8] = [1, -1] * 4  # 2 % each way; with a difference of 0.06 it is 8 % one way
    needed = images_needed(0.06, variance_components(now, counts=True), 1)
    rng, decided = np.random.default_rng(11), 0
    for _ in range(1000):
        differences = rng.choice([-1.0, 0, 1], p=[0.02, 0.90, 0.08], size=(1, needed))
        decided += interval(variance_components(differences, counts=True), 0.95)[0] > 0
    assert decided / 1000 == pytest.approx(0.8, abs=0.06)
    nothing = variance_components(np.zeros((3, 50)), counts=True)
    assert images_needed(0.05, nothing, 3) > 1 / 0.05  # an image or more must differ


def test_the_needed_images_are_enough_and_one_fewer_is_not():
    variances = components(0.03, 0.08, 0.0004, 0.03, 0.9, images=200, seeds=10)
    for difference, margin in ((0.03, 0.0), (0.06, 0.02), (0.0, 0.05)):
        needed = images_needed(difference, variances, 10, margin)
        assert power(difference, variances, needed, 10, margin) >= 0.8
        assert power(difference, variances, needed - 1, 10, margin) < 0.8


def test_images_cannot_outweigh_seeds():
    variances = components(0.01, 0.08, 0.01, 0.03, 0.9, images=200, seeds=3)
    assert images_needed(0.01, variances, 3, margin=0.02) == -1


def test_the_needed_images_are_at_most_ten_million():
    assert images_needed(1e-5, components(0, 0.08, 0, 0, 1, images=9, seeds=1), 1) == MOST_IMAGES == 10_000_000


def test_the_needed_seeds_are_enough_and_one_fewer_is_not():
    variances = components(0.01, 0.08, 0.01, 0.03, 0.9, images=200, seeds=3)
    needed = seeds_needed(0.1, variances, 2000)
    assert 2 < needed < MOST_SEEDS
    assert power(0.1, variances, 2000, needed) >= 0.8 > power(0.1, variances, 2000, needed - 1)


def test_seeds_cannot_outweigh_images():
    assert seeds_needed(0.001, components(0.01, 0.08, 0.01, 0.03, 0.9, images=200, seeds=3), 200) == -1


def test_one_seed_says_nothing_of_how_many_are_needed():
    with pytest.raises(ValueError, match="raise train.seeds"):
        seeds_needed(0.1, components(0, 0.08, 0, 0, 1, images=9, seeds=1), 200)
