"""McNemar's test and verdicts against published tables, scikit-learn and simulations whose truth is known."""

import time
from dataclasses import replace

import numpy as np
import pytest
from baycomp.single import Posterior
from scipy import stats
from sklearn.metrics import balanced_accuracy_score, brier_score_loss, log_loss, roc_auc_score
from statsmodels.stats.contingency_tables import mcnemar

from tests.helpers.predictions import (MIXED, MONTE_CARLO, NEAR, NOISE, World, correct, draw_predictions,
                                       predictions_of, predictions_of_two_classes)
from versus.evaluation.comparison import (BOTH, EQUIVALENT, NEITHER, ONE_BETTER, OTHER, OTHER_BETTER, UNDECIDED,
                                          compare, mcnemar_exact, verdict)
from versus.evaluation.intervals import equivalence_interval, interval, variance_components
from versus.params import Compare

SETTINGS = Compare(margin=0.02, bootstrap=1000, seed=0)


# McNemar's test

def test_mcnemar_is_as_published():
    # Fagerland, Lydersen & Laake (2013), table 1: airway hyper-responsiveness of 21 children
    assert mcnemar_exact(1, 7) == pytest.approx(0.0703, abs=5e-5)


# Siegel (1956), Nonparametric Statistics, table D: one-tailed probabilities of x or fewer in n, of the sign test
@pytest.mark.parametrize("n, one_tailed", [
    (10, {0: 0.001, 1: 0.011, 2: 0.055, 3: 0.172, 4: 0.377}), (15, {2: 0.004, 3: 0.018, 4: 0.059, 5: 0.151}),
    (20, {3: 0.001, 4: 0.006, 5: 0.021, 6: 0.058, 7: 0.132, 8: 0.252}),
    (25, {5: 0.002, 6: 0.007, 7: 0.022, 8: 0.054, 9: 0.115}),
])
def test_mcnemar_is_the_table_of_the_sign_test(n, one_tailed):
    for x, probability in one_tailed.items():
        assert mcnemar_exact(x, n - x) == pytest.approx(2 * probability, abs=1.01e-3)


@pytest.mark.parametrize("first, second", [(0, 0), (0, 5), (3, 3), (6, 16), (13, 20)])
def test_mcnemar_is_that_of_statsmodels(first, second):
    assert mcnemar_exact(first, second) == pytest.approx(mcnemar([[0, first], [second, 0]], exact=True).pvalue)


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


@pytest.mark.parametrize("mean, spread", [(0.0, 0.05), (0.005, 0.05), (0.015, 0.05), (0.03, 0.05), (0.03, 0.5),
                                          (-0.1, 0.5), (-0.02, 0.2)])
def test_the_verdict_of_one_seed_follows_from_the_three_probabilities_of_baycomp(mean, spread):
    """That the one is better, both are equivalent, the other is better: Benavoli et al. (2017), with a flat prior.

    baycomp's `two_on_single` is for folds that share training data; images share none, so its posterior is used alone.
    """
    margin, units = 0.02, 200
    values = np.random.default_rng(4).normal(size=(1, units))
    values = mean + spread * (values - values.mean()) / values.std(ddof=1)
    result = variance_components(values)
    ours = verdict(interval(result, 0.95), equivalence_interval(result), margin)
    one, equivalent, other = (float(value) for value in
                              Posterior(mean, spread**2 / units, units - 1, margin, 0, 0).probs())
    below, _, above = (float(value) for value in Posterior(mean, spread**2 / units, units - 1, 1e-12, 0, 0).probs())
    assert one + equivalent + other == pytest.approx(1)
    expected = (EQUIVALENT if max(one, other) < 0.05 else OTHER_BETTER if min(below, above) == below < 0.025
                else ONE_BETTER if above < 0.025 else UNDECIDED)
    assert ours == expected


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
    assert result["p_value"] < 0.05 and result["seeds_of_same_sign"] == seeds
    assert (result["images"], result["units"], result["seeds"]) == (150, 150, seeds)
    assert result == compare(one, other, SETTINGS)
    assert compare(other, one, SETTINGS)["verdict"] == ONE_BETTER


def test_single_pairs_are_judged_by_mcnemars_test_and_agreement_is_of_all():
    rng = np.random.default_rng(15)
    one, other = (draw_predictions(8, 150, 4, skill, rng) for skill in (1.0, 1.3))
    result = compare(one, other, SETTINGS)
    single = [compare(*(each.with_probabilities(each.probabilities[[k]]) for each in (one, other)), SETTINGS)
              for k in range(8)]
    assert result["seeds_of_same_sign"] == sum(each["accuracy_difference"] > 0 for each in single)
    assert 0 < result["significant_seeds"] == sum(each["p_value"] <= 0.05 for each in single) < 8
    for k, each in enumerate(single):
        alone = [int((a.correct[k] & ~b.correct[k]).sum()) for a, b in ((one, other), (other, one))]
        assert each["p_value"] == pytest.approx(stats.binomtest(alone[0], sum(alone)).pvalue)
        assert (each["p_value"] <= 0.05) == (each["verdict"] == OTHER_BETTER)
    assert result["agreement"] == (one.probabilities.argmax(axis=2) == other.probabilities.argmax(axis=2)).mean()


def test_one_seed_with_four_against_none_is_undecided():
    """McNemar's p is 0.125: until now it stood beside 'better'."""
    right = np.ones((1, 200))
    right[0, :4] = 0
    labels = np.arange(200) % 2
    result = compare(predictions_of_two_classes(right, labels), predictions_of_two_classes(np.ones((1, 200)), labels),
                     SETTINGS)
    assert result["verdict"] == UNDECIDED and result["p_value"] == pytest.approx(0.125)


@pytest.mark.parametrize("classes", [2, 3])
def test_every_score_with_an_interval_is_that_of_scikit_learn(classes):
    one, other = (draw_predictions(3, 200, classes, skill, rng=int(10 * skill)) for skill in (1.0, 1.5))
    some = np.flatnonzero((one.labels != 1) | (np.arange(200) % 5 == 0))  # fewer of the second class
    one, other = (predictions_of(each.probabilities[:, some], each.labels[some]) for each in (one, other))
    result, labels, names = compare(one, other, SETTINGS), one.labels, np.arange(classes)
    for name, score in (
            ("balanced_accuracy", lambda values: balanced_accuracy_score(labels, values.argmax(axis=1))),
            ("brier", lambda values: brier_score_loss(labels, values, labels=names)),
            ("roc_auc", lambda values: roc_auc_score(labels, values if classes > 2 else values[:, 1],
                                                     multi_class="ovr")),
            ("overconfidence", lambda values: values.max(axis=1).mean() - (values.argmax(axis=1) == labels).mean())):
        means = [np.mean([score(of_seed) for of_seed in each.probabilities]) for each in (one, other)]
        assert result[f"{name}_difference"] == pytest.approx(means[1] - means[0]), name
        assert result[f"{name}_low"] < means[1] - means[0] < result[f"{name}_high"]


def test_the_interval_of_the_roc_auc_is_that_of_delong():
    """DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44, written out: placements in a loop."""
    one, other = (draw_predictions(1, 300, 2, skill, rng=int(10 * skill)) for skill in (0.5, 1.0))
    placements = []
    for each in (one, other):
        score, positive = each.probabilities[0, :, 1], each.labels == 1
        order = score[positive][:, None] > score[~positive]
        placements.append((order.mean(axis=1), order.mean(axis=0)))
    variance = sum(np.var(second - first, ddof=1) / len(first) for first, second in zip(*placements))
    result = compare(one, other, SETTINGS)
    width = result["roc_auc_high"] - result["roc_auc_low"]
    assert width == pytest.approx(2 * 1.96 * np.sqrt(variance), rel=0.1)


def test_two_perfect_roc_curves_have_no_interval():
    one = with_shares(np.ones(60), np.arange(60) % 2)
    other = one.with_probabilities(np.where(one.probabilities > 0.5, 0.9, 0.1))
    result = compare(one, other, SETTINGS)
    assert "roc_auc_low" not in result and "brier_low" in result
    assert compare(one, one, SETTINGS)["roc_auc_high"] == 0


# Units

def test_images_that_are_all_there_twice_are_no_further_evidence():
    one, other = (draw_predictions(5, 120, 3, skill, rng=int(10 * skill)) for skill in (1.5, 1.8))
    double = [replace(each, files=tuple(f"{file}{k}" for file in each.files for k in "ab"),
                      labels=np.repeat(each.labels, 2), probabilities=np.repeat(each.probabilities, 2, axis=1),
                      units=np.repeat(np.arange(120), 2)) for each in (one, other)]
    expected = compare(one, other, SETTINGS)
    result = compare(*double, SETTINGS)
    assert (result["images"], result["units"]) == (240, 120)
    for name, value in expected.items():
        if name not in ("images", "verdict", "better_than_majority"):
            assert result[name] == pytest.approx(value, abs=1e-12), name
    assert result["verdict"] == expected["verdict"]


# Balance

def with_shares(correct, labels):
    """Predictions of two classes that are right where `correct`, (images,), is 1, with three seeds."""
    return predictions_of_two_classes(np.tile(0.2 + 0.6 * np.asarray(correct), (3, 1)), np.asarray(labels))


def test_two_that_name_the_majority_are_said_not_to_beat_it():
    labels = np.repeat([0, 1], [190, 10])
    majority = with_shares(labels == 0, labels)
    result = compare(majority, majority, SETTINGS)
    assert result["better_than_majority"] == NEITHER
    perfect = with_shares(np.ones(200), labels)
    assert compare(majority, perfect, SETTINGS)["better_than_majority"] == OTHER
    assert compare(perfect, perfect, SETTINGS)["better_than_majority"] == BOTH
    assert compare(majority, perfect, SETTINGS)["balanced_accuracy_difference"] == pytest.approx(0.5)


# Chance

def test_pairs_of_runs_are_counted_for_each_competitor():
    accuracies = np.array([[0.80, 0.80, 0.86], [0.90, 0.90, 0.90]])
    one, other = (predictions_of_two_classes((np.arange(50) < 50 * each[:, None]) * 1.0, np.arange(50) % 2)
                  for each in accuracies)
    result = compare(one, other, SETTINGS)
    assert result["gap"] == 0.02 and result["chance_of_gap_one"] == pytest.approx(2 / 3)
    assert result["chance_of_gap_other"] == result["chance_of_gap_other_low"] == 0 < result["chance_of_gap_other_high"]
    assert result["single_run_sd"] == pytest.approx(np.std([0.10, 0.10, 0.04], ddof=1))


@pytest.mark.parametrize("names, gap", [(("alien", "predator"), 0.035), (("ants", "bees"), 0.02)])
def test_the_articles_difference_is_of_interest_for_its_own_images(names, gap):
    one = draw_predictions(3, 200, 2, 2.0, rng=8, names=names)
    assert compare(one, one, SETTINGS)["gap"] == pytest.approx(gap)
    assert compare(*[draw_predictions(3, 198, 2, 2.0, rng=8, names=names)] * 2, SETTINGS)["gap"] == 0.02


def test_one_seed_says_nothing_of_chance():
    one = draw_predictions(1, 50, 2, 2.0, rng=9)
    assert not {"chance_of_gap_one", "single_run_sd", "gap"} & set(compare(one, one, SETTINGS))


def test_the_same_predictions_are_equivalent_only_if_images_suffice():
    whole = draw_predictions(3, 400, 2, 2.0, rng=8)
    results = []
    for images in (50, 400):
        some = replace(whole, files=whole.files[:images], labels=whole.labels[:images],
                       probabilities=whole.probabilities[:, :images], units=whole.units[:images])
        results.append(compare(some, some, SETTINGS))
    assert [result["verdict"] for result in results] == [UNDECIDED, EQUIVALENT]
    # no discordance is no certainty: fewer images leave more open
    assert results[0]["smallest_difference"] > 2 * results[1]["smallest_difference"] > 0.01
    assert results[0]["agreement"] == results[0]["p_value"] == 1.0


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
