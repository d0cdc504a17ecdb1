import io
from itertools import permutations

import numpy as np
import pytest
from rich.console import Console

from versus.evaluation import explanation
from versus import params
from versus.report import console as table
from versus.recipe.conventions import TABLE
from versus.params import Compare


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


def cause(shares, natives, labels):
    """The printed sentence on the causes of the difference in accuracy."""
    return next(table.explanation_sentences(shares, explanation.summary(shares, natives, labels))).partition("; in")[0]


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
    named = cause(shares, probabilities[[0, -1]], labels)
    assert "batch_norm" in named and "decode" not in named and "adam" not in named


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


def noisy(rng, names, effect, seeds=5, images=150):
    """Probabilities where every habit makes noise of its own in every image, and the second one moves accuracy."""
    labels = rng.integers(2, size=images)
    habits = 0.7 * rng.normal(size=(len(names), 2, seeds, images)) + 0.7 * rng.normal(size=(len(names), 2, 1, images))
    habits[1, 1] -= effect
    own = 1.5 + 2 * rng.normal(size=images)
    logits = [own + sum(habits[j, index >> j & 1] for j in range(len(names))) for index in range(2 ** len(names))]
    own = 1 / (1 + np.exp(-np.array(logits)))
    return np.where(labels[:, None], np.stack([1 - own, own], -1), np.stack([own, 1 - own], -1)), labels


@pytest.mark.parametrize("effect", [0.0, 2.5])
def test_a_convention_is_rarely_named_without_a_cause(effect):
    names, rng, runs = ["resize", "batch_norm", "adam"], np.random.default_rng(0), 300
    settings = Compare(margin=0.02, bootstrap=1000, seed=0)
    falsely, found = 0, 0
    for _ in range(runs):
        probabilities, labels = noisy(rng, names, effect)
        natives = probabilities[[0, -1]]
        named = cause(explanation.explain(names, probabilities, natives, labels, settings), natives, labels)
        found += "batch_norm" in named
        falsely += any(name in named for name in (["resize", "adam"] if effect else names))
    assert falsely / runs <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)
    if effect:
        assert found == runs


@pytest.mark.parametrize("left_out, words", [((), "a convention is missing"), (["other views"], ": other views.")])
def test_what_is_left_is_said(left_out, words):
    probabilities, labels = simulate([-0.1])
    elsewhere, _ = simulate([-2.0])
    natives = elsewhere[[0, 1]]
    shares = explanation.explain(["adam"], probabilities, natives, labels, params.load().compare)
    sentences = list(table.explanation_sentences(shares, explanation.summary(shares, natives, labels), left_out))
    assert "more than noise" in sentences[-2] and words in sentences[-2]


def test_rounding_is_no_missing_convention():
    probabilities, labels = simulate([-1.0])
    away = np.where(labels[:, None] == [0, 1], -1e-7, 1e-7)  # from each image's own class
    natives = [probabilities[0], probabilities[-1] + away]
    shares = explanation.explain(["adam"], probabilities, natives, labels, params.load().compare)
    assert shares[(shares.kind == "residual") & (shares.metric == "log_loss")].low.item() > 0
    sentences = list(table.explanation_sentences(shares, explanation.summary(shares, natives, labels)))
    assert "within noise." in sentences[-2]


def test_interactions_are_said_beside_their_convention():
    probabilities, labels = simulate([-1.5, -1.5], images=2000)
    shares = explanation.explain(["decode", "batch_norm"], probabilities, probabilities[[0, -1]], labels,
                                 params.load().compare)
    console = Console(file=io.StringIO(), width=80)
    table.show_explanation(shares, explanation.summary(shares, probabilities[[0, -1]], labels), console=console)
    printed = console.file.getvalue()
    assert "beyond what each does alone: decode x batch_norm (" in printed
    assert max(map(len, printed.partition("The cause")[0].splitlines())) <= 80 and "…" not in printed


def test_luck_is_the_chance_that_simulated_pairs_differ():
    rng, images = np.random.default_rng(0), 200
    labels = np.ones(images, int)
    right = rng.random((2, 400, images)) < 0.95 + 0.02 * rng.normal(size=(2, 400, 1))
    natives = np.stack([1 - right, right], axis=-1).astype(float)
    accuracies = right.mean(axis=2)
    apart = np.mean(np.abs(accuracies[:, ::2] - accuracies[:, 1::2]) >= 0.035 - 1e-9)
    chance, low, high = explanation.luck(natives, labels, difference=0.035)
    assert chance == pytest.approx(apart, abs=0.06)
    assert low < chance < high < low + 0.1
    few = explanation.luck(natives[:, :3], labels, difference=0.035)
    assert few[1] < chance < few[2]
    assert explanation.luck(natives[:, [0, 0]], labels) == (0, 0, 0)


def test_one_seed_says_nothing_of_luck():
    probabilities, labels = simulate([-1.0], seeds=1)
    shares = explanation.explain(["adam"], probabilities, probabilities[[0, -1]], labels, params.load().compare)
    summary = explanation.summary(shares, probabilities[[0, -1]], labels)
    assert not {"luck", "single_run_sd"} & set(summary)
    assert "unknown with one seed" in list(table.explanation_sentences(shares, summary))[-1]


def test_seeds_of_the_combinations_are_at_most_those_of_the_native_runs():
    chosen = params.load()
    chosen = chosen.model_copy(update={"train": chosen.train.model_copy(update={"seeds": 3})})
    assert explanation.of_combinations(chosen).train.seeds == 3
    assert not explanation.left_out(chosen)
    other = {"extract": chosen.extract.model_copy(update={"views": chosen.explain.views + 1})}
    assert "other views" in explanation.left_out(chosen.model_copy(update=other))[0]
