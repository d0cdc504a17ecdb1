"""Intervals, tests and verdicts against closed forms, published tables, and simulations whose truth is known.

The simulations draw 1,000 comparisons each; one standard error of a coverage of 0.95 is 0.007, of an error rate of
0.05 as well, and the bounds below leave two of them.
"""

import io
import time

import numpy as np
import pytest
from rich.console import Console
from scipy import stats
from scipy.special import ndtr, ndtri
from sklearn.metrics import log_loss

from versus.evaluation import comparison
from versus.report import console as table
from versus.evaluation.comparison import Components, components, equivalence_interval, interval, studentised
from versus.params import Compare

SETTINGS = Compare(margin=0.02, bootstrap=1000, seed=0)
COMPARISONS = 1000
MONTE_CARLO = 2 * np.sqrt(0.05 * 0.95 / COMPARISONS)


def predictions(rng, seeds, images, classes, skill):
    logits = rng.normal(size=(seeds, images, classes))
    labels = np.arange(images) % classes
    logits[:, np.arange(images), labels] += skill
    values = np.exp(logits)
    return values / values.sum(axis=2, keepdims=True), labels


def variances(mean, image, seed, noise, share, images, seeds):
    return Components(mean, image, seed, noise, share, share, share, images, seeds)


# Closed forms

def test_single_seed_is_the_paired_t_interval():
    differences = np.random.default_rng(0).normal(0.3, 1, (1, 40))
    expected = stats.ttest_1samp(differences[0], 0).confidence_interval(0.95)
    assert interval(components(differences), 0.95) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_seeds_alone_are_the_t_interval_of_their_means():
    of_seeds = np.random.default_rng(1).normal(0.3, 1, 6)
    differences = np.repeat(of_seeds[:, None], 50, axis=1)
    expected = stats.ttest_1samp(of_seeds, 0).confidence_interval(0.95)
    assert interval(components(differences), 0.95) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_components_are_unbiased():
    rng = np.random.default_rng(2)
    found = [components(rng.normal(0, 3, (1, 60)) + rng.normal(0, 2, (8, 1)) + rng.normal(0, 1, (8, 60)))
             for _ in range(2000)]
    for name, truth, error in (("image", 9, 0.04), ("seed", 4, 0.05), ("noise", 1, 0.0015)):
        assert np.mean([getattr(one, name) for one in found]) == pytest.approx(truth, abs=4 * error), name


def test_no_discordant_image_is_wilsons_interval():
    # of 200 images none differs: what 0 successes of 200 say of their probability
    expected = stats.binomtest(0, 200).proportion_ci(0.95, method="wilson").high
    for seeds in (1, 10):
        low, high = interval(components(np.zeros((seeds, 200)), counts=True), 0.95, np.zeros(100))
        assert (low, high) == pytest.approx((-expected, expected), abs=1e-12)


def test_one_direction_reaches_at_least_wilsons_interval():
    differences = np.zeros((1, 200))
    differences[0, :3] = 1
    expected = stats.binomtest(3, 200).proportion_ci(0.95, method="wilson").high
    assert interval(components(differences, counts=True), 0.95)[1] == pytest.approx(expected)


def test_interval_is_symmetric_in_the_frameworks():
    differences = np.random.default_rng(3).choice([-1.0, 0, 0, 0, 1, 1], (5, 100))
    drawn = studentised(differences, 500, np.random.default_rng(0))
    low, high = interval(components(differences, True), 0.95, drawn)
    assert interval(components(-differences, True), 0.95, -drawn) == pytest.approx((-high, -low))
    assert low < differences.mean() < high


def test_studentised_is_students_t_for_normal_differences():
    differences = np.random.default_rng(4).normal(size=(1, 5000))
    drawn = studentised(differences, 20000, np.random.default_rng(0))
    assert np.quantile(drawn, [0.025, 0.5, 0.975]) == pytest.approx([-1.96, 0, 1.96], abs=0.06)


def test_studentised_in_chunks_is_the_same(monkeypatch):
    differences = np.random.default_rng(5).normal(size=(3, 70))
    whole = studentised(differences, 101, np.random.default_rng(0))
    monkeypatch.setattr(comparison, "CHUNK", 700)
    assert np.array_equal(studentised(differences, 101, np.random.default_rng(0)), whole)


# McNemar's test

# Fagerland, Lydersen & Laake (2013), table 1: airway hyper-responsiveness of 21 children
def test_mcnemar_published():
    assert comparison.mcnemar_exact(1, 7) == pytest.approx(0.0703, abs=5e-5)
    assert comparison.mcnemar_midp(1, 7) == pytest.approx(0.0391, abs=5e-5)


# Siegel (1956), Nonparametric Statistics, table D: one-tailed probabilities of x or fewer in n, of the sign test
@pytest.mark.parametrize("n, one_tailed", [
    (10, {0: 0.001, 1: 0.011, 2: 0.055, 3: 0.172, 4: 0.377}), (15, {2: 0.004, 3: 0.018, 4: 0.059, 5: 0.151}),
    (20, {3: 0.001, 4: 0.006, 5: 0.021, 6: 0.058, 7: 0.132, 8: 0.252}),
    (25, {5: 0.002, 6: 0.007, 7: 0.022, 8: 0.054, 9: 0.115}),
])
def test_mcnemar_is_the_table_of_the_sign_test(n, one_tailed):
    for x, chance in one_tailed.items():
        assert comparison.mcnemar_exact(x, n - x) == pytest.approx(2 * chance, abs=1.01e-3)
        if x - 1 in one_tailed:  # the mid-p value lies half way between two entries, doubled
            assert comparison.mcnemar_midp(x, n - x) == pytest.approx(chance + one_tailed[x - 1], abs=1.01e-3)


@pytest.mark.parametrize("first, second", [(0, 0), (0, 5), (3, 3), (6, 16), (13, 20)])
def test_mcnemar_is_the_binomial_test(first, second):
    exact = stats.binomtest(first, first + second).pvalue if first + second else 1.0
    assert comparison.mcnemar_exact(first, second) == pytest.approx(exact)
    point = stats.binom.pmf(first, first + second, 0.5)
    half = point / 2 if first == second else point
    assert comparison.mcnemar_midp(first, second) == pytest.approx(exact - half if first + second else 1.0)


# Verdict and planning

@pytest.mark.parametrize("interval_95, interval_90, expected", [
    ((-0.03, 0.03), (-0.019, 0.019), "equivalent within margin"),
    ((0.001, 0.03), (0.002, 0.019), "equivalent within margin"),
    ((0.001, 0.03), (0.002, 0.02), "torch better"),
    ((-0.03, -0.001), (-0.025, -0.002), "keras better"),
    ((0.0, 0.03), (0.001, 0.025), "undecided"),
])
def test_verdict(interval_95, interval_90, expected):
    assert comparison.verdict(interval_95, interval_90, 0.02) == expected


def test_power_is_that_of_simulated_comparisons():
    rng, decided, truth = np.random.default_rng(6), 0, variances(0.0, 1.0, 0.1, 0.5, 0.0, images=120, seeds=10)
    for _ in range(2000):
        effects = rng.normal(0, 1, (1, 120)) + rng.normal(0, np.sqrt(0.1), (10, 1))
        low, high = interval(components(0.4 + effects + rng.normal(0, np.sqrt(0.5), (10, 120))), 0.95)
        decided += low > 0 or high < 0
    assert decided / 2000 == pytest.approx(comparison.power(0.4, truth, 120, 10), abs=0.05)


def test_power_of_a_difference_that_the_current_run_does_not_show():
    now = np.zeros((1, 200))
    now[0, :8] = [1, -1] * 4  # 2 % each way; with a difference of 0.06 it is 8 % one way
    needed = comparison.images_needed(0.06, components(now, counts=True), 1)
    rng, decided = np.random.default_rng(11), 0
    for _ in range(1000):
        drawn = rng.choice([-1.0, 0, 1], p=[0.02, 0.90, 0.08], size=(1, needed))
        decided += interval(components(drawn, counts=True), 0.95)[0] > 0
    assert decided / 1000 == pytest.approx(0.8, abs=0.06)
    nothing = components(np.zeros((3, 50)), counts=True)
    assert comparison.images_needed(0.05, nothing, 3) > 1 / 0.05  # an image or more must differ


def test_images_needed_are_enough_and_one_fewer_is_not():
    found = variances(0.03, 0.08, 0.0004, 0.03, 0.9, images=200, seeds=10)
    for difference, margin in ((0.03, 0.0), (0.06, 0.02), (0.0, 0.05)):
        needed = comparison.images_needed(difference, found, 10, margin)
        assert comparison.power(difference, found, needed, 10, margin) >= 0.8
        assert comparison.power(difference, found, needed - 1, 10, margin) < 0.8


def test_images_cannot_outweigh_seeds():
    found = variances(0.01, 0.08, 0.01, 0.03, 0.9, images=200, seeds=3)
    assert comparison.images_needed(0.01, found, 3, margin=0.02) == -1
    assert comparison.images_needed(1e-5, variances(0, 0.08, 0, 0, 1, images=9, seeds=1), 1) == comparison.MOST_IMAGES
    needed = comparison.seeds_needed(0.1, found, 2000)
    assert comparison.power(0.1, found, 2000, needed) >= 0.8 > comparison.power(0.1, found, 2000, needed - 1)
    assert comparison.seeds_needed(0.001, found, 200) == -1
    with pytest.raises(ValueError, match="raise train.seeds"):
        comparison.seeds_needed(0.1, variances(0, 0.08, 0, 0, 1, images=9, seeds=1), 200)


# compare

@pytest.mark.parametrize("seeds, classes", [(1, 2), (3, 2), (4, 5)])
def test_compare(seeds, classes):
    rng = np.random.default_rng(7)
    (keras, labels), (torch, _) = (predictions(rng, seeds, 150, classes, skill) for skill in (1.0, 3.0))
    result = comparison.compare(keras, torch, labels, SETTINGS)
    right = [(one.argmax(axis=2) == labels) for one in (keras, torch)]
    assert result["accuracy_difference"] == pytest.approx(right[1].mean() - right[0].mean())
    losses = [np.mean([log_loss(labels, of_seed, labels=np.arange(classes)) for of_seed in one])
              for one in (keras, torch)]
    assert result["log_loss_difference"] == pytest.approx(losses[1] - losses[0])
    assert result["verdict"] == "torch better" and result["log_loss_high"] < 0
    assert result["mcnemar_midp"] < result["mcnemar_p"] < 0.05
    assert (result["images"], result["seeds"]) == (150, seeds)
    assert result == comparison.compare(keras, torch, labels, SETTINGS)
    assert comparison.compare(torch, keras, labels, SETTINGS)["verdict"] == "keras better"


def test_the_same_predictions_are_equivalent_only_if_images_suffice():
    values, labels = predictions(np.random.default_rng(8), 3, 400, 2, 2.0)
    verdicts = [comparison.compare(values[:, :images], values[:, :images], labels[:images], SETTINGS)
                for images in (50, 400)]
    assert [one["verdict"] for one in verdicts] == ["undecided", "equivalent within margin"]
    # t^2 / 0.02, as of 0 successes; two images would do if no discordance were certainty
    assert 130 < verdicts[0]["images_needed"] == verdicts[1]["images_needed"] < 145
    assert verdicts[0]["agreement"] == verdicts[0]["mcnemar_p"] == 1.0


def test_compare_names_what_is_wrong():
    values, labels = predictions(np.random.default_rng(9), 3, 50, 2, 2.0)
    with pytest.raises(ValueError, match=r"\(3, 50, 2\) by Keras and \(2, 50, 2\) by PyTorch"):
        comparison.compare(values, values[:2], labels, SETTINGS)
    with pytest.raises(ValueError, match="at least 2"):
        comparison.compare(values[:, :1], values[:, :1], labels[:1], SETTINGS)


def test_compare_takes_less_than_two_seconds():
    values, labels = predictions(np.random.default_rng(10), 20, 200, 2, 2.0)
    start = time.process_time()
    comparison.compare(values[:10], values[10:], labels, Compare(margin=0.02, bootstrap=10000, seed=0))
    assert time.process_time() - start < 2


# Table

RESULT = {"accuracy_difference": 0.035, "accuracy_low": -0.02, "accuracy_high": 0.09, "log_loss_difference": -0.1,
          "log_loss_low": -0.2, "log_loss_high": 0.01, "mcnemar_p": 0.243, "agreement": 0.875, "verdict": "undecided",
          "images_needed": 1234, "images": 200, "seeds": 10}
SCORES = {"accuracy": 0.885, "accuracy_sd": 0.012, "log_loss": 0.3, "log_loss_sd": 0.02, "brier": 0.08,
          "roc_auc": 0.95, "ece": 0.03, "images": 200, "seeds": 10}


def test_table_fits_a_pipe_of_eighty_columns():
    console = Console(file=io.StringIO(), width=80)
    parity = {"conventions": "equal", "features": 3e-6, "probabilities": 4e-6, "classes": 0, "predictions": 2000,
              "heads_probabilities": 3e-6, "heads_classes": 1, "control_probabilities": 2e-7, "control_classes": 0}
    table.show(SCORES, SCORES | {"accuracy": 0.92}, RESULT, parity, SETTINGS, console)
    rows, _, words = console.file.getvalue().rpartition("Verdict")
    assert max(map(len, rows.splitlines())) <= 80 and "…" not in rows
    assert "0.885 ± 0.012" in rows and "+0.035" in rows and "-0.020 to +0.090" in rows
    for figure in ("undecided", "0.24", "87.5%", "1,234 validation images",
                   "features differ by 3e-06, probabilities by 4e-06, 0 predicted classes of 2,000",
                   "by 3e-06, 1 predicted class of 2,000", "by 2e-07, 0 predicted classes of 2,000"):
        assert figure in words


def test_equal_conventions_with_other_features_are_called_broken():
    parity = {"conventions": "equal", "features": 0.1}
    assert "parity is broken" in table.parity_sentence(parity)
    assert not table.parity_sentence(parity | {"conventions": "different"})


@pytest.mark.parametrize("changes, words", [
    ({"images_needed": -1}, "more seeds are needed"),
    ({"images_needed": comparison.MOST_IMAGES}, "more than 10,000,000"),
    ({"verdict": "equivalent within margin"}, "equivalent within 0.02"),
    ({"verdict": "equivalent within margin"}, "1,234 validation images show this equivalence"),
])
def test_sentence(changes, words):
    assert words in table.sentence(RESULT | changes, 0.02)


# Simulations

class World:
    """Margins (log odds of the right class) of image i by framework f with seed s, all effects normal:

    skill[f] + 2 difficulty[i] + image * a[f, i] + seed * b[f, s] + noise * e[f, s, i]. An image is classified right
    if its margin is positive; its log loss is log(1 + exp(-margin)). So the true accuracy is
    Phi(skill / total deviation), the true log loss an integral. With one seed the truth is of the trained pair: b = 0.
    """

    def __init__(self, image, seed, noise, seeds, images, difference, accuracy=0.9):
        self.spread = image, seed * (seeds > 1), noise
        self.seeds, self.images, self.difference = seeds, images, difference
        self.total = np.sqrt(4 + np.square(self.spread).sum())
        self.skills = [ndtri(accuracy + sign * difference / 2) * self.total for sign in (-1, 1)]

    def margins(self, rng, seeds, images):
        """Margins by Keras and by PyTorch, (seeds, images) each."""
        image, seed, noise = self.spread
        difficulty = 2 * rng.standard_normal(images)
        return [skill + difficulty + image * rng.standard_normal(images) + seed * rng.standard_normal((seeds, 1))
                + noise * rng.standard_normal((seeds, images)) for skill in self.skills]

    def log_loss_difference(self):
        points, weights = np.polynomial.hermite_e.hermegauss(200)
        losses = [weights @ np.logaddexp(0, -(skill + self.total * points)) / weights.sum() for skill in self.skills]
        return losses[1] - losses[0]

    def intervals(self, measure, seed=0):
        """The 95 % and equivalence intervals of 1,000 comparisons: (comparisons, 4)."""
        rng, found = np.random.default_rng(seed), []
        for _ in range(COMPARISONS):
            keras, torch = (measure(margins) for margins in self.margins(rng, self.seeds, self.images))
            of_one, drawn = components(torch - keras, measure is right), studentised(torch - keras, 300, rng)
            found.append(interval(of_one, 0.95, drawn) + equivalence_interval(of_one, drawn))
        return np.array(found)


def right(margins):
    return (margins > 0).astype(float)


def loss(margins):
    return np.logaddexp(0, -margins)


IMAGE, SEED, NOISE, MIXED = (1.5, 0.1, 0.5), (0.3, 1.5, 0.3), (0.2, 0.1, 1.5), (0.8, 0.4, 0.8)
NEAR = (0.2, 0.05, 0.2)  # frameworks that differ in 3 % of the images


def test_truth_is_that_of_a_large_population():
    world = World(*MIXED, seeds=10, images=100, difference=0.05)
    rng = np.random.default_rng(0)
    means = np.array([[np.mean(measure(t)) - np.mean(measure(k)) for measure in (right, loss)]
                      for k, t in (world.margins(rng, 2000, 1000) for _ in range(20))])
    error = means.std(axis=0, ddof=1) / np.sqrt(len(means))
    assert np.all(np.abs(means.mean(axis=0) - [0.05, world.log_loss_difference()]) < 4 * error)


@pytest.mark.parametrize("spread, seeds, images, difference", [
    (IMAGE, 1, 200, 0), (IMAGE, 10, 200, 0.05), (MIXED, 1, 100, 0), (MIXED, 3, 200, 0), (MIXED, 10, 100, 0.03),
    (SEED, 3, 100, 0), (SEED, 10, 200, 0.03), (NOISE, 3, 200, 0.03), (NOISE, 10, 200, 0), (NEAR, 10, 200, 0),
])
def test_accuracy_intervals_cover(spread, seeds, images, difference):
    low, high, *_ = World(*spread, seeds, images, difference).intervals(right).T
    coverage = np.mean((low <= difference) & (difference <= high))
    # three seeds: t with 2 degrees of freedom for part of the variance errs on the safe side
    assert 0.93 <= coverage <= (0.985 if seeds == 3 else 0.97)
    if not difference:
        assert 1 - coverage <= 0.05 + MONTE_CARLO  # a verdict "better", though neither is


@pytest.mark.parametrize("spread, seeds, images, difference", [
    (IMAGE, 1, 200, 0.03), (SEED, 10, 200, 0.03), (MIXED, 3, 100, 0.03), (NOISE, 10, 200, 0.03), (NEAR, 10, 200, 0.03),
])
def test_log_loss_intervals_cover(spread, seeds, images, difference):
    world = World(*spread, seeds, images, difference)
    low, high, *_ = world.intervals(loss).T
    assert 0.93 <= np.mean((low <= world.log_loss_difference()) & (world.log_loss_difference() <= high)) <= 0.97


# a margin that the images could show: otherwise no wrong verdict is possible
@pytest.mark.parametrize("spread, seeds, images, margin", [
    (MIXED, 1, 200, 0.05), (MIXED, 10, 200, 0.05), (NOISE, 3, 200, 0.05), (NOISE, 10, 100, 0.05),
    (NEAR, 1, 200, 0.02), (NEAR, 3, 200, 0.02), (NEAR, 10, 200, 0.02), (NEAR, 10, 100, 0.05),
])
def test_equivalence_is_rarely_wrong_at_the_margin(spread, seeds, images, margin):
    found = World(*spread, seeds, images, margin).intervals(right)
    wrong = np.mean([comparison.verdict(one[:2], one[2:], margin) == "equivalent within margin" for one in found])
    assert 0.005 < wrong <= 0.05 + MONTE_CARLO


def test_tiny_differences_may_cover_more_but_never_less():
    for seeds in (1, 10):
        low, high, *_ = World(0.05, 0.02, 0.05, seeds, 100, 0).intervals(right).T
        assert np.mean((low <= 0) & (0 <= high)) >= 0.95 - MONTE_CARLO
        assert (high - low).min() >= 0.029  # never the certainty of nothing at all
