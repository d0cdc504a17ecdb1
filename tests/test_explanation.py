"""Shapley shares against their other definition, and effects that simulations planted."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from tests.helpers.paths import ROOT
from tests.helpers.predictions import draw_combinations, predictions_of_two_classes
from versus import params
from versus.evaluation import explanation
from versus.frameworks import COMPETITORS
from versus.params import Compare
from versus.recipe.conventions import TABLE
from versus.report import sentences

SETTINGS = Compare(margin=0.02, bootstrap=10000, seed=0)
PAIR = (COMPETITORS["keras"], COMPETITORS["torch"])
TITLES = ("Keras", "PyTorch")


# Weights

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


def test_shares_of_the_glove_game_are_those_of_the_textbook():
    """Players 0 and 1 hold left gloves, 2 a right one; a pair is worth 1 (shares 1/6, 1/6, 4/6)."""
    values = [0, 0, 0, 0, 0, 1, 1, 1]
    np.testing.assert_allclose(explanation.shapley(3) @ values, [1 / 6, 1 / 6, 4 / 6])


def test_interaction_of_a_product_and_of_a_sum():
    bits = np.array([[index >> j & 1 for j in range(3)] for index in range(8)])
    np.testing.assert_allclose(explanation.interactions(3) @ (bits @ [1.0, 2.0, 3.0]), 0, atol=1e-12)
    np.testing.assert_allclose(explanation.interactions(3) @ (bits[:, 0] * bits[:, 2]), [0, 1, 0], atol=1e-12)


# Combinations

def test_a_network_of_its_own_is_another_difference():
    settings = params.load(ROOT / "params.yaml")
    model = settings.model.model_copy(update={"backbone": "resnet50", "weights": "native"})
    (difference,) = sentences.other_differences(settings.model_copy(update={"model": model}), ("A", "B"))
    assert difference == "B's own network and weights (model.weights: native)"


# Effects

def explain(names, combinations, one=None, other=None, settings=SETTINGS):
    """Explain; the native runs are by default those of no convention and of all."""
    return explanation.explain(names, combinations, one or combinations[0], other or combinations[-1], settings)


def said(shares, one, other, differences=()):
    """The sentences of an explanation."""
    return list(sentences.explanation(shares, explanation.summary(shares, one, other), PAIR, list(differences)))


def cause(shares, one, other):
    """The part of the first sentence that says what causes the difference in accuracy."""
    first, separator, _ = said(shares, one, other)[0].partition(". In log loss")
    assert separator
    return first


def test_a_planted_cause_is_named_and_no_other():
    combinations = draw_combinations([0.0, -1.0, 0.0])
    shares = explain(["decode", "batch_norm", "adam"], combinations)
    accuracy = shares[shares.metric == "accuracy"].set_index("name")
    assert accuracy.loc["batch_norm"].high < 0 and accuracy.loc["batch_norm"].significant
    for name in ("decode", "adam"):
        assert tuple(accuracy.loc[name, ["share", "low", "high"]]) == (0, 0, 0)
        assert not accuracy.loc[name].significant
    assert accuracy.loc["batch_norm"].share == pytest.approx(accuracy.loc["all conventions"].share)
    assert accuracy.loc["not explained"].share == 0
    summary = explanation.summary(shares, combinations[0], combinations[-1])
    assert np.isfinite(list(summary.values())).all()
    assert summary["accuracy_resize"] == 0  # the competitors agree in it
    named = cause(shares, combinations[0], combinations[-1])
    assert "batch_norm" in named and "decode" not in named and "adam" not in named
    assert f"in PyTorch {TABLE['batch_norm']['torch']['today'].words}" in named


def test_two_conventions_that_do_more_together_have_a_significant_interaction():
    shares = explain(["decode", "batch_norm"], combinations := draw_combinations([-1.5, -1.5], images=2000))
    interaction = shares[(shares.kind == "interaction") & (shares.metric == "accuracy")].iloc[0]
    assert interaction["name"] == "decode x batch_norm" and interaction.significant
    (sentence,) = [text for text in said(shares, combinations[0], combinations[-1]) if text.startswith("Together")]
    assert sentence == (f"Together, decode x batch_norm change the accuracy by {interaction.share:+.3f} "
                        "beyond what each does alone.")


def test_what_no_convention_explains_is_shown():
    combinations, elsewhere = draw_combinations([-0.1]), draw_combinations([-2.0])
    shares = explain(["adam"], combinations, *elsewhere)
    residual = shares[(shares.metric == "accuracy") & (shares.kind == "residual")].iloc[0]
    assert residual.high < 0


def test_equal_conventions_leave_nothing_to_explain():
    (only,) = draw_combinations([])
    shares = explain([], [only])
    assert (shares.share == 0).all()
    steps = explanation.waterfall(shares, only, only, TITLES).step
    assert list(steps) == ["Keras", "not explained", "PyTorch"]


def test_the_waterfall_reaches_from_one_competitor_to_the_other():
    combinations = draw_combinations([0.3, -1.0, 0.2])
    one, other = combinations[0], combinations[-1]
    shares = explain(["decode", "batch_norm", "adam"], combinations)
    steps = explanation.waterfall(shares, one, other, ("First", "Second"))
    assert list(steps.step)[:2] == ["First", "batch_norm"] and steps.step.iloc[-1] == "Second"
    assert list(steps.kind) == ["competitor"] + ["convention"] * 3 + ["residual", "competitor"]
    np.testing.assert_allclose(steps.start[1:-1], steps.end[:-2])
    assert steps.end.iloc[-2] == pytest.approx(steps.end.iloc[-1])
    assert steps.end.iloc[[0, -1]].tolist() == [one.correct.mean(), other.correct.mean()]


def noisy(rng, names, effect, seeds=5, images=150):
    """Draw predictions where every default makes noise of its own in every image, and the second moves accuracy."""
    labels = rng.integers(2, size=images)
    defaults = 0.7 * rng.normal(size=(len(names), 2, seeds, images)) + 0.7 * rng.normal(size=(len(names), 2, 1, images))
    defaults[1, 1] -= effect
    own = 1.5 + 2 * rng.normal(size=images)
    logits = [own + sum(defaults[j, index >> j & 1] for j in range(len(names))) for index in range(2 ** len(names))]
    probabilities = 1 / (1 + np.exp(-np.array(logits)))
    return [predictions_of_two_classes(of_combination, labels) for of_combination in probabilities]


@pytest.mark.parametrize("effect", [0.0, 2.5])
def test_a_convention_is_rarely_named_without_a_cause(effect):
    names, rng, runs = ["resize", "batch_norm", "adam"], np.random.default_rng(0), 300
    settings = Compare(margin=0.02, bootstrap=1000, seed=0)
    falsely, rightly = 0, 0
    for _ in range(runs):
        combinations = noisy(rng, names, effect)
        named = cause(explain(names, combinations, settings=settings), combinations[0], combinations[-1])
        rightly += "batch_norm" in named
        falsely += any(name in named for name in (["resize", "adam"] if effect else names))
    print(f"effect {effect}: the cause named in {rightly / runs:.1%}, a wrong one in {falsely / runs:.1%} of {runs}")
    assert falsely / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)
    if effect:
        assert rightly == runs


def test_a_share_that_a_single_test_would_show_need_not_be_significant_among_three():
    rng, names = np.random.default_rng(1), ["resize", "batch_norm", "adam"]
    shares = pd.concat([explain(names, noisy(rng, names, 0.4)) for _ in range(10)])
    single = (shares.low > 0) | (shares.high < 0)
    assert not (shares.significant & ~single).any()
    alone = shares.kind.isin(["total", "native", "residual"])
    assert (shares.significant == single)[alone].all()
    assert (single & ~shares.significant)[shares.kind == "convention"].any()


@pytest.mark.parametrize("differences, words", [((), "a convention is missing"), (["other views"], ": other views.")])
def test_what_is_left_is_said(differences, words):
    combinations, (one, other) = draw_combinations([-0.1]), draw_combinations([-2.0])
    sentence = said(explain(["adam"], combinations, one, other), one, other, differences)[-2]
    assert "more than noise" in sentence and words in sentence


def test_rounding_is_no_missing_convention():
    combinations = draw_combinations([-1.0])
    labels = combinations[0].labels
    away = np.where(labels[:, None] == [0, 1], -1e-7, 1e-7)  # from each image's true class
    one, other = combinations[0], combinations[-1].with_probabilities(combinations[-1].probabilities + away)
    shares = explain(["adam"], combinations, one, other)
    assert shares[(shares.kind == "residual") & (shares.metric == "log_loss")].low.item() > 0
    assert "within noise." in said(shares, one, other)[-2]


# Chance

def test_the_chance_of_a_gap_is_that_of_simulated_pairs():
    rng, images = np.random.default_rng(0), 200
    labels = np.ones(images, int)
    right = rng.random((2, 400, images)) < 0.95 + 0.02 * rng.normal(size=(2, 400, 1))
    one, other = (predictions_of_two_classes(each.astype(float), labels) for each in right)
    accuracies = right.mean(axis=2)
    apart = np.mean(np.abs(accuracies[:, ::2] - accuracies[:, 1::2]) >= 0.035 - 1e-9)
    probability, low, high = explanation.chance_of_gap(one, other, gap=0.035)
    assert probability == pytest.approx(apart, abs=0.06)
    assert low < probability < high < low + 0.1
    few = explanation.chance_of_gap(one.first_seeds(3), other.first_seeds(3), gap=0.035)
    assert few[1] < probability < few[2]
    same = [each.with_probabilities(each.probabilities[[0, 0]]) for each in (one, other)]
    assert explanation.chance_of_gap(*same) == (0, 0, 0)
    assert explanation.single_run_sd(one, other) == pytest.approx((accuracies[1] - accuracies[0]).std(ddof=1))


def test_the_chance_of_a_gap_is_corrected_for_continuity():
    right = np.array([[[1] * 8 + [0] * 2, [1] * 6 + [0] * 4], [[1] * 9 + [0], [1] * 5 + [0] * 5]])
    one, other = (predictions_of_two_classes(each.astype(float), np.ones(10, int)) for each in right)
    variance = (0.1**2 + 0.2**2) * 2 / 2  # accuracies 0.8 and 0.6, 0.9 and 0.5: the mean of 0.02 and 0.08
    expected = 2 * stats.norm.sf((0.25 - 0.05) / np.sqrt(2 * variance))
    assert explanation.chance_of_gap(one, other, gap=0.25)[0] == pytest.approx(expected)


def test_one_seed_says_nothing_of_chance():
    combinations = draw_combinations([-1.0], seeds=1)
    shares = explain(["adam"], combinations)
    summary = explanation.summary(shares, combinations[0], combinations[-1])
    assert not {"chance_of_published_gap", "single_run_sd"} & set(summary)
    assert "unknown with one seed" in said(shares, combinations[0], combinations[-1])[-1]
