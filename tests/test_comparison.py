"""McNemar's test and verdicts against published tables, scikit-learn and simulations whose truth is known."""

import time
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import log_loss

from tests.helpers.predictions import MIXED, MONTE_CARLO, NEAR, NOISE, World, correct, draw_predictions
from versus.evaluation.comparison import (EQUIVALENT, ONE_BETTER, OTHER_BETTER, UNDECIDED, compare, mcnemar_exact,
                                          mcnemar_midp, verdict)
from versus.params import Compare

SETTINGS = Compare(margin=0.02, bootstrap=1000, seed=0)


# McNemar's test

def test_mcnemar_is_as_published():
    # Fagerland, Lydersen & Laake (2013), table 1: airway hyper-responsiveness of 21 children
    assert mcnemar_exact(1, 7) == pytest.approx(0.0703, abs=5e-5)
    assert mcnemar_midp(1, 7) == pytest.approx(0.0391, abs=5e-5)


# Siegel (1956), Nonparametric Statistics, table D: one-tailed probabilities of x or fewer in n, of the sign test
@pytest.mark.parametrize("n, one_tailed", [
    (10, {0: 0.001, 1: 0.011, 2: 0.055, 3: 0.172, 4: 0.377}), (15, {2: 0.004, 3: 0.018, 4: 0.059, 5: 0.151}),
    (20, {3: 0.001, 4: 0.006, 5: 0.021, 6: 0.058, 7: 0.132, 8: 0.252}),
    (25, {5: 0.002, 6: 0.007, 7: 0.022, 8: 0.054, 9: 0.115}),
])
def test_mcnemar_is_the_table_of_the_sign_test(n, one_tailed):
    for x, probability in one_tailed.items():
        assert mcnemar_exact(x, n - x) == pytest.approx(2 * probability, abs=1.01e-3)
        if x - 1 in one_tailed:  # the mid-p value lies half way between two entries, doubled
            assert mcnemar_midp(x, n - x) == pytest.approx(probability + one_tailed[x - 1], abs=1.01e-3)


@pytest.mark.parametrize("first, second", [(0, 0), (0, 5), (3, 3), (6, 16), (13, 20)])
def test_mcnemar_is_the_binomial_test(first, second):
    exact = stats.binomtest(first, first + second).pvalue if first + second else 1.0
    assert mcnemar_exact(first, second) == pytest.approx(exact)
    point = stats.binom.pmf(first, first + second, 0.5)
    half = point / 2 if first == second else point
    assert mcnemar_midp(first, second) == pytest.approx(exact - half if first + second else 1.0)


# Verdict

@pytest.mark.parametrize("interval_95, equivalence, expected", [
    ((-0.03, 0.03), (-0.019, 0.019), EQUIVALENT),
    ((0.001, 0.03), (0.002, 0.019), EQUIVALENT),
    ((0.001, 0.03), (0.002, 0.02), OTHER_BETTER),
    ((-0.03, -0.001), (-0.025, -0.002), ONE_BETTER),
    ((0.0, 0.03), (0.001, 0.025), UNDECIDED),
])
def test_the_verdict_follows_from_both_intervals(interval_95, equivalence, expected):
    assert verdict(interval_95, equivalence, 0.02) == expected


# a margin that the images could show: otherwise no wrong verdict is possible
@pytest.mark.parametrize("spreads, seeds, images, margin", [
    (MIXED, 1, 200, 0.05), (MIXED, 10, 200, 0.05), (NOISE, 3, 200, 0.05), (NOISE, 10, 100, 0.05),
    (NEAR, 1, 200, 0.02), (NEAR, 3, 200, 0.02), (NEAR, 10, 200, 0.02), (NEAR, 10, 100, 0.05),
])
def test_equivalence_is_rarely_wrong_at_the_margin(spreads, seeds, images, margin):
    intervals = World(spreads, seeds, images, margin).intervals(correct)
    wrong = np.mean([verdict(one[:2], one[2:], margin) == EQUIVALENT for one in intervals])
    assert 0.005 < wrong <= 0.05 + MONTE_CARLO


# compare

@pytest.mark.parametrize("seeds, classes", [(1, 2), (3, 2), (4, 5)])
def test_a_comparison_is_of_accuracy_and_log_loss_as_scikit_learn_computes_them(seeds, classes):
    rng = np.random.default_rng(7)
    one, other = (draw_predictions(seeds, 150, classes, skill, rng) for skill in (1.0, 3.0))
    result = compare(one, other, SETTINGS)
    accuracies = [(each.probabilities.argmax(axis=2) == each.labels).mean() for each in (one, other)]
    assert result["accuracy_difference"] == pytest.approx(accuracies[1] - accuracies[0])
    losses = [np.mean([log_loss(each.labels, of_seed, labels=np.arange(classes)) for of_seed in each.probabilities])
              for each in (one, other)]
    assert result["log_loss_difference"] == pytest.approx(losses[1] - losses[0])
    assert result["verdict"] == OTHER_BETTER and result["log_loss_high"] < 0
    assert result["mcnemar_midp"] < result["mcnemar_p"] < 0.05
    assert (result["images"], result["seeds"]) == (150, seeds)
    assert result == compare(one, other, SETTINGS)
    assert compare(other, one, SETTINGS)["verdict"] == ONE_BETTER


def test_mcnemars_test_is_of_the_first_seed_and_agreement_of_all():
    rng = np.random.default_rng(15)
    one, other = (draw_predictions(3, 150, 4, skill, rng) for skill in (1.0, 1.5))
    result = compare(one, other, SETTINGS)
    alone = [int((a.correct[0] & ~b.correct[0]).sum()) for a, b in ((one, other), (other, one))]
    assert result["mcnemar_p"] == pytest.approx(stats.binomtest(alone[0], sum(alone)).pvalue)
    assert result["agreement"] == (one.probabilities.argmax(axis=2) == other.probabilities.argmax(axis=2)).mean()


def test_the_same_predictions_are_equivalent_only_if_images_suffice():
    whole = draw_predictions(3, 400, 2, 2.0, rng=8)
    results = []
    for images in (50, 400):
        some = replace(whole, files=whole.files[:images], labels=whole.labels[:images],
                       probabilities=whole.probabilities[:, :images])
        results.append(compare(some, some, SETTINGS))
    assert [result["verdict"] for result in results] == [UNDECIDED, EQUIVALENT]
    # t^2 / 0.02, as of 0 successes; two images would do if no discordance were certainty
    assert 130 < results[0]["images_needed"] == results[1]["images_needed"] < 145
    assert results[0]["agreement"] == results[0]["mcnemar_p"] == 1.0


def test_a_comparison_of_one_image_is_refused():
    alone = draw_predictions(3, 1, 2, 2.0, rng=9)
    with pytest.raises(ValueError, match="at least 2"):
        compare(alone, alone, SETTINGS)


@pytest.mark.parametrize("change", [
    lambda predictions: predictions.first_seeds(1),
    lambda predictions: replace(predictions, files=predictions.files[::-1]),
    lambda predictions: replace(predictions, class_names=predictions.class_names[::-1]),
])
def test_a_comparison_of_predictions_that_are_not_paired_is_refused(change):
    one = draw_predictions(3, 50, 2, 2.0, rng=9)
    with pytest.raises(ValueError, match="different seeds, files or classes; expected the same"):
        compare(one, change(one), SETTINGS)


def test_a_comparison_takes_less_than_two_seconds():
    rng = np.random.default_rng(10)
    one, other = (draw_predictions(10, 200, 2, 2.0, rng) for _ in range(2))
    start = time.process_time()
    compare(one, other, Compare(margin=0.02, bootstrap=10000, seed=0))
    assert time.process_time() - start < 2
