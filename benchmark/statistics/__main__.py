"""What the statistics print against known truths, before and after they counted units, pairs of runs and few images.

python -m benchmark.statistics [NAME …]: the simulations of these names, or all of them; about ten minutes on a core.
"""

import sys
from dataclasses import replace

import numpy as np
from scipy.stats import chi2, norm, t

from benchmark.statistics import examples
from tests.helpers.predictions import (MIXED, World, correct, grouped_margins, log_losses, predictions_of,
                                       predictions_of_two_classes)
from tests.helpers.split_runs import draw as draw_splits
from versus.evaluation import explanation, gate, scores
from versus.evaluation import splits as several_splits
from versus.evaluation.chance import chance_of_gap
from versus.evaluation.comparison import compare, mcnemar_exact
from versus.evaluation.intervals import estimate
from versus.evaluation.power import smallest_difference, units_needed
from versus.params import Compare

SETTINGS = Compare(margin=0.02, bootstrap=300, seed=0)
RUNS = 400
OUTCOMES = (gate.WORSE, gate.LOWER, gate.UNDECIDED, gate.NOT_WORSE, gate.HIGHER)


def units():
    """Coverage of the nominal 95 % by images and by units, and how much wider the latter's interval is."""
    print("images  units  coverage by images  by units  width")
    unequal = np.repeat(np.arange(41), np.where(np.arange(41) < 8, 3, 1))  # 57 images
    pairs = np.arange(764) * 538 // 764
    for members in (unequal, pairs, np.arange(200), np.arange(200) // 5, np.arange(200) // 10):
        rng, covered, width = np.random.default_rng(0), np.zeros(2), np.zeros(2)
        for _ in range(RUNS):
            one, other = grouped_margins(rng, 3, members)
            for k, each in enumerate((np.arange(len(members)), members)):
                low, high = estimate(correct(other) - correct(one), SETTINGS, each, 1.0).interval()
                covered[k] += low <= 0 <= high
                width[k] += high - low
        print(f"{len(members):6} {members.max() + 1:6} {covered[0] / RUNS:19.2f} {covered[1] / RUNS:9.2f} "
              f"{width[1] / width[0]:6.2f}")


def chi_squared(one, other, gap, images):
    """The chance as it was printed before: of normal accuracies with the two competitors' mean variance."""
    freedom = 2 * (len(one) - 1)
    variance = (one.var(ddof=1) + other.var(ddof=1)) / 2
    with np.errstate(divide="ignore"):
        return [2 * norm.sf((gap - 0.5 / images) / np.sqrt(2 * variance * freedom / quantile))
                for quantile in (freedom, *chi2.ppf([0.975, 0.025], freedom))]


def chance():
    """Coverage of the interval of the chance that two runs differ by 0.035: before, and over pairs, ten seeds each."""
    draws = {"normal, both alike": (0.017, 0.017, 0.0), "unequal": (0.008, 0.025, 0.0),
             "one run in ten an outlier": (0.008, 0.008, 0.06)}
    print("runs                        images  truth (one, other)  coverage before (one, other)  after")
    for name, (*deviations, outlier) in draws.items():
        for images in (200, 153):
            rng, covered = np.random.default_rng(0), np.zeros((2, 2))

            def draw(deviation, number):
                values = 0.9 + deviation * rng.normal(size=number) - outlier * (rng.random(number) < 0.1)
                return np.round(values * images) / images

            truth = [np.mean(np.abs(draw(each, 200_000) - draw(each, 200_000)) >= 0.035 - 1e-9) for each in deviations]
            for _ in range(RUNS):
                both = [draw(each, 10) for each in deviations]
                _, low, high = chi_squared(*both, 0.035, images)
                for k, each in enumerate(both):
                    covered[0, k] += low <= truth[k] <= high
                    _, lower, higher = chance_of_gap(each, 0.035)
                    covered[1, k] += lower <= truth[k] <= higher
            before, after = covered / RUNS
            print(f"{name:27} {images:6} {truth[0]:9.3f} {truth[1]:8.3f} {before[0]:20.2f} {before[1]:8.2f} "
                  f"{after[0]:7.2f} {after[1]:5.2f}")


def needed():
    """The number of images that an observed difference would need, against the smallest difference that is shown."""
    rng, numbers, smallest = np.random.default_rng(7), [], []
    for _ in range(10):
        image = rng.choice([-0.8, 0.0, 0.8], p=[0.06, 0.84, 0.10], size=200)
        differences = rng.binomial(1, np.abs(image), (10, 200)) * np.sign(image)
        variances = estimate(differences, SETTINGS, np.arange(200), 1.0).variances
        numbers.append(units_needed(variances.mean, variances, 10))
        smallest.append(smallest_difference(variances))
    print("ten runs of one true difference, 0.032: images needed, before:", sorted(numbers))
    print("smallest difference that is shown, after:", [f"{value:.3f}" for value in sorted(smallest)])


def calibration():
    """What perfectly calibrated predictions of 200 images show: calibration error, and overconfidence's coverage."""
    for images in (200, 1000, 10_000):
        rng, rows = np.random.default_rng(0), []
        for _ in range(50):
            confidence = 1 / (1 + np.exp(-np.abs(rng.normal(0, 4, images))))
            labels = (rng.random(images) < confidence).astype(int)
            rows.append(scores.summary(predictions_of(np.stack([1 - confidence, confidence], -1)[None], labels),
                                       SETTINGS))
        error, by_chance = (np.mean([row[name] for row in rows]) for name in ("ece", "ece_by_chance"))
        covered = np.mean([row["overconfidence_low"] <= 0 <= row["overconfidence_high"] for row in rows])
        print(f"{images:6} images: calibration error {error:.3f}, by chance {by_chance:.3f} (0 is true); the interval "
              f"of the overconfidence covers 0 in {covered:.0%}")


def floors():
    """Coverage of the share of a default that turns 1 % of the images: without and with a floor."""
    for images in (57, 200):
        rng, certain, covered = np.random.default_rng(3), 0, np.zeros(2)
        for _ in range(RUNS):
            right = rng.random((1, images)) < 0.9
            turned = right ^ (rng.random((1, images)) < 0.01)
            cells = np.repeat(turned.astype(float) - right, 5, axis=0)
            certain += not cells.any()
            for k, bounds in enumerate((None, 1.0)):
                low, high = estimate(cells, SETTINGS, np.arange(images), bounds).interval()
                covered[k] += low <= -0.008 <= high
        print(f"{images} images: no image turned in {certain / RUNS:.0%} of draws; coverage before "
              f"{covered[0] / RUNS:.2f}, after {covered[1] / RUNS:.2f}")


def single_pairs():
    """How often McNemar's test of one pair of runs is not significant where the verdict of ten is."""
    one, other = examples.draw("alien-vs-predator")
    p_values = [mcnemar_exact(int((first & ~second).sum()), int((second & ~first).sum()))
                for first in one.correct for second in other.correct]
    result = compare(one, other, SETTINGS)
    print(f"before: McNemar's p of a single pair above 0.05 in {sum(p > 0.05 for p in p_values)} of {len(p_values)} "
          f"pairs; after: {result['verdict']}, p = {result['p_value']:.2g}, the same sign in "
          f"{result['seeds_of_same_sign']} of 10 seeds, {result['significant_seeds']} significant alone")
    right = np.ones((1, 200))
    right[0, :4] = 0
    one, other = (predictions_of_two_classes(each, np.arange(200) % 2) for each in (right, np.ones((1, 200))))
    result = compare(one, other, SETTINGS)
    print(f"one seed, 4 against 0: {result['verdict']}, p = {result['p_value']:.3f}")


def few_wrong():
    """Coverage of the interval of the log loss by the number of wrong answers: heavy tails, the other overconfident."""
    for accuracy in (0.98, 0.95, 0.9):
        skill = -np.quantile(np.random.default_rng(1).standard_t(3, 1_000_000), 1 - accuracy)

        def differences(rng, number, skill=skill):
            common = rng.standard_t(3, number)
            one, other = (skill + common + 0.3 * rng.standard_t(3, number) for _ in range(2))
            return log_losses(5 * other) - log_losses(2 * one)

        truth = differences(np.random.default_rng(2), 5_000_000).mean()
        for images in (57, 200, 800):
            rng, covered = np.random.default_rng(0), 0
            for _ in range(RUNS):
                low, high = estimate(differences(rng, images)[None], SETTINGS, np.arange(images)).interval()
                covered += low <= truth <= high
            print(f"accuracy {accuracy}, {images:4} images: {images * (1 - accuracy):5.1f} wrong answers, coverage "
                  f"{covered / RUNS:.2f}")


def shares():
    """How often any of three defaults without effect is called significant: at most 5 %."""
    rng, wrong = np.random.default_rng(0), 0
    for _ in range(100):
        combinations = []
        own = 1.5 + 2 * rng.normal(size=150)
        noise = 0.7 * rng.normal(size=(3, 2, 5, 150)) + 0.7 * rng.normal(size=(3, 2, 1, 150))
        for index in range(8):
            logits = own + sum(noise[j, index >> j & 1] for j in range(3))
            combinations.append(predictions_of_two_classes(1 / (1 + np.exp(-logits)), np.arange(150) % 2))
        rows = explanation.explain(["resize", "batch_norm", "adam"], combinations, combinations[0], combinations[-1],
                                   SETTINGS)
        wrong += rows[(rows.metric == "accuracy") & (rows.kind == "convention")].significant.any()
    print(f"a default without effect is significant in {wrong} of 100 runs")


def splits():
    """Coverage over several splits: images alone, the corrected t of Nadeau & Bengio (2003), and what is printed."""
    print("images  splits  effects                                  coverage: images  corrected t  printed  widths")
    for images, number, effects in (
            (300, 5, {}), (300, 5, {"training": 0.05}), (300, 5, {"training": 0.15}), (900, 5, {"training": 0.1}),
            (900, 10, {"training": 0.1}), (300, 3, {"training": 0.15, "seed": 0.1}), (300, 5, {"views": 0.15}),
            (900, 5, {"training": 0.1, "views": 0.1, "seed": 0.1}), (300, 5, {"members": 5, "training": 0.1}),
            (300, 5, {"seeds": 1, "training": 0.1})):
        rng, covered, width = np.random.default_rng(0), np.zeros(3), np.zeros(3)
        for _ in range(RUNS):
            runs = draw_splits(rng, images, number, **effects)
            printed = several_splits.estimate(*runs[:4], SETTINGS)
            of_images = replace(printed, variances=replace(printed.variances, of_runs=()))
            means = np.array([runs.differences[..., runs.folds == fold].mean() for fold in range(number)])
            half = t.ppf(0.975, number - 1) * np.sqrt((1 / number + 1 / (number - 1)) * means.var(ddof=1))
            intervals = (of_images.interval(), (means.mean() - half, means.mean() + half), printed.interval())
            for k, (low, high) in enumerate(intervals):
                covered[k] += low <= runs.truth <= high
                width[k] += high - low
        (first, second, third), widths = covered / RUNS, width / RUNS
        named = ", ".join(f"{name} {value}" for name, value in effects.items()) or "none"
        print(f"{images:6} {number:7}  {named:40} {first:17.2f} {second:12.2f} {third:8.2f}   "
              + " ".join(f"{each:.3f}" for each in widths))


def gate_outcomes():
    """What the gate says of 200 simulated changes each: 200 images, five seeds, margin 0.02."""
    print(f"| true difference | {' | '.join(OUTCOMES)} |\n|---:|{'---:|' * len(OUTCOMES)}")
    for difference in (-0.15, -0.10, -0.05, -0.02, 0.0, 0.05):
        world, rng = World(MIXED, 5, 200, difference), np.random.default_rng(0)
        said = []
        for _ in range(200):
            before, now = (predictions_of_two_classes(1 / (1 + np.exp(-margins)), np.arange(200) % 2)
                           for margins in world.margins(rng, 5, 200))
            interval = estimate(now.correct - before.correct.astype(float), SETTINGS, now.units, 1.0).interval()
            said.append(gate.outcome(interval, SETTINGS.margin))
        print(f"| {difference:+.2f} | {' | '.join(str(said.count(each)) for each in OUTCOMES)} |")


SIMULATIONS = {each.__name__: each for each in (units, chance, needed, calibration, floors, single_pairs, few_wrong,
                                                shares, splits, gate_outcomes)}


def main(names):
    for name in names or SIMULATIONS:
        print(f"\n{name}: {SIMULATIONS[name].__doc__}")
        SIMULATIONS[name]()


if __name__ == "__main__":
    main(sys.argv[1:])
