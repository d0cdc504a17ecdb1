"""How many images and seeds a difference needs: from predictions that exist."""

from dataclasses import replace

import numpy as np
import pytest

from tests.helpers.predictions import predictions_of_two_classes
from versus.evaluation.intervals import variance_components
from versus.evaluation.power import PROBABILITY, power, seeds_needed, units_needed
from versus.evaluation.sample_size import Plan, plan
from versus.report import sentences


def run(seeds=10, values=(-1, 0, 1), images=200, copies=1):
    """Two competitors whose correctness differs by `values`, drawn for each seed and image; `copies` of each image."""
    differences = np.random.default_rng(0).choice(values, (seeds, images))
    one, other = (predictions_of_two_classes(np.repeat((sign * differences >= 0) * 1.0, copies, axis=1),
                                             np.ones(images * copies, int)) for sign in (-1, 1))
    units = np.repeat(np.arange(images), copies)
    return replace(one, units=units), replace(other, units=units)


def needed(of_run, difference):
    """The numbers of images of a plan, without those that no number would do for."""
    return [images for images in plan(*of_run, difference).images_needed.values() if images > 0]


def test_more_images_for_fewer_points_and_fewer_for_more_seeds():
    few, many = needed(run(), 0.1), needed(run(), 0.05)
    assert many == sorted(many, reverse=True)
    assert few[-1] < many[-1]
    assert "With 200 images and 10 seeds" in sentences.sample_size(plan(*run(), 0.05))


def test_a_plan_is_that_of_the_power():
    one, other = run(seeds=5)
    variances = variance_components(other.correct * 1.0 - one.correct, np.ones(200))
    result = plan(one, other, 0.1)
    assert (result.difference, result.images, result.units, result.seeds) == (0.1, 200, 200, 5)
    assert list(result.images_needed) == [3, 5, 10, 30, 100]  # the run's own number among them
    for seeds, images in result.images_needed.items():
        assert images == units_needed(0.1, variances, seeds, probability=0.8)
    assert result.probability == power(0.1, variances, 200, 5)
    assert result.seeds_needed == seeds_needed(0.1, variances, 200, probability=PROBABILITY)


def test_images_that_are_all_there_twice_are_needed_twice():
    once, twice = plan(*run(), 0.1), plan(*run(copies=2), 0.1)
    assert twice.images_needed == {seeds: 2 * images for seeds, images in once.images_needed.items()}
    assert (twice.images, twice.units) == (400, 200)
    assert (twice.probability, twice.seeds_needed) == (once.probability, once.seeds_needed)
    assert "With 400 images, 200 independent, and 10 seeds" in sentences.sample_size(twice)


def test_one_seed_says_nothing_of_others():
    result = plan(*run(seeds=1), 0.05)
    assert list(result.images_needed) == [1] and result.seeds_needed is None
    sentence = sentences.sample_size(result)
    assert "1 seed, as in this run" in sentence and "raise train.seeds" in sentence


def test_no_difference_is_not_certainty():
    assert min(needed(run(values=(0,)), 0.05)) > 100


@pytest.mark.parametrize("difference", [0, 0.0, 1, -1, 1.5, float("nan"), float("inf")])
def test_a_difference_that_is_no_share_is_refused(difference):
    with pytest.raises(ValueError, match="got a difference of .*; expected a share of the images between 0 and 1"):
        plan(*run(), difference)


@pytest.mark.parametrize("seeds_needed, words", [
    (-1, "with these images no number of seeds would be enough."), (2, "with these images 2 seeds would be enough."),
    (1234, "with these images 1,234 seeds would be enough."), (None, "one seed shows no variance between seeds"),
])
def test_the_sentence_says_how_many_seeds_are_enough(seeds_needed, words):
    sentence = sentences.sample_size(Plan(0.02, 1, 1, 3, 0.5, {3: 10}, seeds_needed))
    assert words in sentence and sentence.startswith("With 1 image and 3 seeds, as in this run, the probability of "
                                                     "showing it is 50 %; ")
