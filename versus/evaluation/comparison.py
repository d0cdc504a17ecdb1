"""Is one classifier better than the other? Paired differences, other minus one, and what follows from them.

Positive accuracy differences and negative log loss differences speak for the other.
"""

import numpy as np
from scipy.special import bdtr

from versus import params
from versus.artifacts.predictions import Predictions, same_probabilities
from versus.evaluation import article
from versus.evaluation.cells import CELLS
from versus.evaluation.chance import chance_of_gap
from versus.evaluation.findings import (BOTH, EQUIVALENT, NEITHER, ONE, ONE_BETTER, OTHER, OTHER_BETTER, SIGNIFICANT,
                                        UNDECIDED)
from versus.evaluation.intervals import Estimate, by_unit, estimate
from versus.evaluation.power import smallest_difference


def mcnemar_exact(only_one: int, only_other: int) -> float:
    """Return the exact p-value of McNemar's test, that of a fair coin.

    `only_one` is the number of images that the one classifier alone has right, `only_other` that of the other.

    >>> mcnemar_exact(4, 0)
    0.125
    """
    # twice a tail of the symmetric distribution; the binomial test of scipy.stats takes half a second to import
    return min(1.0, 2 * float(bdtr(min(only_one, only_other), only_one + only_other, 0.5)))


def verdict(interval: tuple[float, float], equivalence: tuple[float, float], margin: float) -> str:
    """Judge by the 95 % interval of the accuracy difference and by its `equivalence_interval`.

    The latter makes two one-sided tests (Schuirmann 1987) of whether the difference lies within ± `margin`.

    >>> verdict((-0.01, 0.02), (-0.005, 0.015), margin=0.02), verdict((0.01, 0.07), (0.02, 0.06), margin=0.02)
    ('equivalent', 'other better')
    """
    if -margin < equivalence[0] and equivalence[1] < margin:
        return EQUIVALENT
    if interval[0] > 0:
        return OTHER_BETTER
    return ONE_BETTER if interval[1] < 0 else UNDECIDED


def compare(one: Predictions, other: Predictions, settings: params.Compare) -> dict:
    """Compare the predictions of two classifiers, paired by image and seed: raise ValueError if they are not.

    Returns flat scalars; differences are other minus one, each with its 95 % interval. A score that the images do not
    define is left out, and an unbounded one that no image changes: two perfect ROC curves say nothing. p_value: of the
    accuracy difference, by the same interval; with one seed that is McNemar's exact test. smallest_difference: in
    accuracy, that these images and seeds show with a probability of 80 %; 1 if none. share_of_images: of the variance
    of the accuracy difference, which more seeds would not reduce. units: how many of the images are independent.
    wrong: the mean number of independent images that the competitor with fewer of them gets wrong.
    """
    if any(getattr(one, field) != getattr(other, field) for field in ("seeds", "files", "class_names")):
        raise ValueError("got predictions of different seeds, files or classes; expected the same in the same order: "
                         "see predictions.pair")
    result: dict = {}
    same = same_probabilities(one, other)
    for name, (cells, bounds) in CELLS.items():
        first, second = cells(one), cells(other)
        if first is not None and second is not None and (bounds or same or (second - first).any()):
            difference = estimate(second - first, settings, one.units, bounds(one) if bounds else None)
            low, high = difference.interval()
            result |= {f"{name}_difference": difference.mean, f"{name}_low": low, f"{name}_high": high}
            if name == "accuracy":
                accuracy = difference
    wrong = min((by_unit(~each.correct * 1.0, one.units) > 0).sum(axis=1).mean() for each in (one, other))
    return result | _seed_by_seed(one, other) | _chance(one, other, settings.margin) | {
        "p_value": accuracy.p_value(),
        "verdict": verdict(accuracy.interval(), accuracy.equivalence_interval, settings.margin),
        "smallest_difference": smallest_difference(accuracy.variances),
        "share_of_images": accuracy.variances.share_of_units,
        "agreement": float((one.predicted == other.predicted).mean()),
        **_majority(one, other, settings), "wrong": float(wrong),
        "images": len(one.files), "units": accuracy.variances.units, "seeds": len(one.seeds),
    }


def _seed_by_seed(one: Predictions, other: Predictions) -> dict[str, int]:
    """Count the seeds in which the difference has the sign of the mean, and those whose pair of runs shows it alone.

    A pair shows it if McNemar's exact test, of units instead of images, is significant.
    """
    differences = by_unit(other.correct.astype(float) - one.correct, one.units)  # (seeds, units)
    sign = np.sign(differences.mean())
    same = np.sign(differences.mean(axis=1).round(12)) == sign
    significant = [mcnemar_exact(int((of_seed < 0).sum()), int((of_seed > 0).sum())) <= SIGNIFICANT
                   for of_seed in differences]
    return {"seeds_of_same_sign": int(same.sum()) if sign else 0, "significant_seeds": int((same & significant).sum())}


def _chance(one: Predictions, other: Predictions, margin: float) -> dict[str, float]:
    """Return how much the difference varies between seeds, and how often two runs of one competitor differ by a gap.

    The gap is the article's difference for the article's images, or else the margin. {} for one seed. Seeds share the
    augmented views, so runs with views of their own vary more.
    """
    if len(one.seeds) == 1:
        return {}
    gap = article.DIFFERENCE if article.has_images_of(one) else margin
    differences = other.correct.mean(axis=1) - one.correct.mean(axis=1)
    result = {"single_run_sd": float(differences.std(ddof=1)), "gap": gap}
    for name, each in ((ONE, one), (OTHER, other)):
        chance = chance_of_gap(each.correct.mean(axis=1), gap)
        result |= dict(zip((f"chance_of_gap_{name}", f"chance_of_gap_{name}_low", f"chance_of_gap_{name}_high"),
                           chance))
    return result


def _majority(one: Predictions, other: Predictions, settings: params.Compare) -> dict[str, str]:
    """Say who is significantly more accurate than naming the most frequent class for every image."""
    constant = one.labels == np.bincount(one.labels).argmax()
    better = [_exceeds(estimate(each.correct - constant.astype(float), settings, one.units, 1.0))
              for each in (one, other)]
    return {"better_than_majority": {(True, True): BOTH, (True, False): ONE, (False, True): OTHER}.get(
        tuple(better), NEITHER)}  # type: ignore[arg-type]


def _exceeds(difference: Estimate) -> bool:
    return difference.interval()[0] > 0
