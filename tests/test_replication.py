"""Means and spreads of unpaired training runs: against closed forms, and simulations whose truth is known."""

import numpy as np
import pytest
from scipy import stats

from tests.helpers.predictions import predictions_of_two_classes
from versus.evaluation.replication import estimate_unpaired, replicate, spread
from versus.params import Compare

SETTINGS = Compare(margin=0.03, bootstrap=200, seed=0)
MARGINS = {"accuracy": 0.03, "log_loss": 0.05}


def runs_of(number, images, generator, skill=3.0, between=0.25):
    """Draw `number` independent runs of a recipe for the same images, whose difficulty is drawn with seed 0."""
    logits = (skill + 2 * np.random.default_rng(0).normal(size=images) + between * generator.normal(size=(number, 1))
              + 0.3 * generator.normal(size=(number, images)))
    return predictions_of_two_classes(1 / (1 + np.exp(-logits)), np.arange(images) % 2)


def test_the_interval_of_runs_alone_is_that_of_welch():
    generator = np.random.default_rng(1)
    one, other = generator.normal(0, 1, 6), generator.normal(0.5, 3, 9)
    results = estimate_unpaired(*(np.repeat(values[:, None], 40, axis=1) for values in (one, other)), SETTINGS,
                                np.arange(40))
    welch = stats.ttest_ind(other, one, equal_var=False)
    half = stats.t.ppf(0.975, int(welch.df)) * (other.mean() - one.mean()) / welch.statistic
    assert results.interval() == pytest.approx((results.mean - half, results.mean + half))


def test_runs_that_do_the_same_rarely_stray_and_no_runs_of_another_recipe_are_equivalent():
    generator = np.random.default_rng(2)
    same = [replicate(runs_of(5, 200, generator), runs_of(10, 200, generator), MARGINS, SETTINGS) for _ in range(100)]
    for metric in MARGINS:
        assert sum(results[metric].verdict == "strays" for results in same) <= 5
        assert sum(results[metric].spread.differs for results in same) <= 12  # 5 % of 100, and three standard errors
    assert sum(results["accuracy"].verdict == "equivalent" for results in same) >= 50
    other = [replicate(runs_of(5, 200, generator), runs_of(10, 200, generator, skill=2.0), MARGINS, SETTINGS)
             for _ in range(50)]
    for metric in MARGINS:
        assert {results[metric].verdict for results in other} == {"strays"}


def test_runs_that_spread_too_little_are_told_from_others():
    generator = np.random.default_rng(3)
    results = [replicate(runs_of(10, 400, generator, between=1.0), runs_of(10, 400, generator, between=0.1), MARGINS,
                       SETTINGS)["log_loss"].spread for _ in range(20)]
    assert all(one.differs and one.ratio < 0.5 for one in results)


@pytest.mark.parametrize("draw", [lambda generator, size: generator.normal(0, 1, size),
                                  lambda generator, size: -generator.gamma(3, 1, size)])  # skewness of accuracies
@pytest.mark.parametrize("sizes", [(5, 10), (10, 10)])
def test_the_interval_of_the_ratio_of_spreads_holds_the_truth_as_often_as_it_says(draw, sizes):
    generator = np.random.default_rng(4)
    results = [spread(draw(generator, sizes[0]), 2 * draw(generator, sizes[1])) for _ in range(1000)]
    assert np.mean([one.low < 2 < one.high for one in results]) == pytest.approx(0.95, abs=0.035)


def test_runs_without_variance_have_no_ratio_of_spreads_that_says_something():
    for one, other in ((np.ones(5), np.ones(5)), (np.ones(5), np.arange(5.0)), (np.arange(3.0), 9 * np.arange(9.0))):
        assert not spread(one, other).differs


@pytest.mark.parametrize("number", [(1, 5), (5, 1)])
def test_a_single_run_is_refused(number):
    one, other = (runs_of(runs, 20, np.random.default_rng(runs)) for runs in number)
    with pytest.raises(ValueError, match="expected 2 or more of each"):
        replicate(one, other, MARGINS, SETTINGS)


def test_predictions_for_other_images_are_refused():
    with pytest.raises(ValueError, match="expected the same images"):
        replicate(runs_of(3, 20, np.random.default_rng(0)), runs_of(3, 21, np.random.default_rng(0)), MARGINS, SETTINGS)
