"""Shapley shares against their other definition, and effects that simulations planted."""

from dataclasses import replace
from itertools import combinations as subsets
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from shapiq.game_theory.exact import ExactComputer

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


@pytest.mark.parametrize("count", [2, 4, 6])
def test_shares_and_interactions_are_those_of_shapiq(count):
    values = np.random.default_rng(count).normal(size=2**count)
    computer = ExactComputer(lambda coalitions: np.array([values[row @ (1 << np.arange(count))]
                                                          for row in coalitions.astype(int)]), n_players=count)
    shares, pairs = computer("SV", 1), computer("SII", 2)
    np.testing.assert_allclose(explanation.shapley(count) @ values, [shares[(j,)] for j in range(count)], atol=1e-12)
    np.testing.assert_allclose(explanation.interactions(count) @ values,
                               [pairs[pair] for pair in subsets(range(count), 2)], atol=1e-12)


# Combinations

def test_a_network_of_its_own_is_another_difference():
    settings = params.load(ROOT / "params.yaml")
    model = settings.model.model_copy(update={"backbone": "resnet50", "weights": "native"})
    (difference,) = sentences.other_differences(settings.model_copy(update={"model": model}), ("A", "B"))
    assert difference == "B's own network and weights (model.weights: native)"


def test_views_in_bfloat16_are_another_difference():
    settings = params.load(ROOT / "params.yaml")
    extract = settings.extract.model_copy(update={"precision": "bfloat16"})
    (difference,) = sentences.other_differences(settings.model_copy(update={"extract": extract}), ("A", "B"))
    assert difference == "views in bfloat16, and the two frameworks round at different places (extract.precision)"


# Effects

def explain(names, combinations, one=None, other=None, settings=SETTINGS):
    """Explain; the native runs are by default those of no convention and of all."""
    return explanation.explain(names, combinations, one or combinations[0], other or combinations[-1], settings)


def said(shares):
    """The sentences of an explanation."""
    return list(sentences.explanation(shares, PAIR))


def cause(shares):
    """The sentence that says what causes the difference in accuracy."""
    return said(shares)[0]


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
    named = cause(shares)
    assert "batch_norm" in named and "decode" not in named and "adam" not in named
    assert f"in PyTorch {TABLE['batch_norm']['torch']['today'].words}" in named


def test_two_conventions_that_do_more_together_have_a_significant_interaction():
    shares = explain(["decode", "batch_norm"], draw_combinations([-1.5, -1.5], images=2000))
    interaction = shares[(shares.kind == "interaction") & (shares.metric == "accuracy")].iloc[0]
    assert interaction["name"] == "decode x batch_norm" and interaction.significant
    (sentence,) = [text for text in said(shares) if text.startswith("Together")]
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
    assert set(steps.scope) == {one.scope}


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
        named = cause(explain(names, combinations, settings=settings))
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


# Few images

def turned(images, share, rng, seeds=5):
    """Draw the two combinations of a default that turns each image's class with a probability of `share`, both ways."""
    labels = np.arange(images) % 2
    right = rng.random((1, images)) < 0.9
    turn = rng.random((1, images)) < share
    wiggle = 0.01 * rng.random((seeds, images))  # of the probabilities, which changes no class
    return [predictions_of_two_classes(np.where(correct, 0.8, 0.2) + wiggle * factor, labels)
            for factor, correct in enumerate((right, right ^ turn))]


def test_a_default_that_turns_no_image_is_not_known_to_turn_none():
    """1 % of 57 images: in more than half of the draws none turns, and the interval was 0.000 to 0.000."""
    rng, rows = np.random.default_rng(3), []
    for _ in range(200):
        shares = explain(["adam"], turned(57, 0.01, rng), settings=Compare(margin=0.02, bootstrap=100, seed=0))
        rows.append(shares[(shares.metric == "accuracy") & (shares.kind == "convention")])
    rows = pd.concat(rows)
    truth = -0.01 * (0.9 - 0.1)
    assert 0.3 < (rows.share == 0).mean() and (rows.high > rows.low).all()
    assert ((rows.low <= truth) & (truth <= rows.high)).mean() > 0.95
    of_none = stats.binomtest(0, 57).proportion_ci(0.95, method="wilson").high
    assert rows[rows.share == 0].high.to_numpy() == pytest.approx(of_none)
    assert not rows.significant.any()


def test_only_a_default_that_changes_no_bit_has_exactly_no_effect():
    before, after = turned(57, 0.0, np.random.default_rng(4))
    without = explain(["adam", "decode"], [before, before, after, after])
    exact = without.set_index(["metric", "kind", "name"])
    for metric in ("accuracy", "log_loss"):
        assert tuple(exact.loc[(metric, "convention", "adam"), ["share", "low", "high"]]) == (0, 0, 0)
        assert exact.loc[(metric, "convention", "decode")].high > exact.loc[(metric, "convention", "decode")].low
        assert tuple(exact.loc[(metric, "interaction", "adam x decode"), ["low", "high"]]) == (0, 0)


def test_shares_are_of_independent_images():
    combinations = draw_combinations([-0.7, 0.3], images=120)
    double = [replace(each, files=tuple(f"{file}{k}" for file in each.files for k in "ab"),
                      labels=np.repeat(each.labels, 2), probabilities=np.repeat(each.probabilities, 2, axis=1),
                      units=np.repeat(np.arange(120), 2)) for each in combinations]
    expected, shares = explain(["adam", "resize"], combinations), explain(["adam", "resize"], double)
    for column in ("share", "low", "high"):
        np.testing.assert_allclose(shares[column], expected[column], atol=1e-12)
