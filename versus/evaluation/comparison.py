"""Is one classifier better than the other? Paired differences, other minus one, and what follows from them.

Positive accuracy differences and negative log loss differences speak for the other.
"""

from scipy.stats import binom
from statsmodels.stats.contingency_tables import mcnemar

from versus import params
from versus.artifacts.predictions import Predictions
from versus.evaluation.intervals import estimate
from versus.evaluation.power import images_needed

EQUIVALENT, ONE_BETTER, OTHER_BETTER, UNDECIDED = "equivalent", "one better", "other better", "undecided"


def mcnemar_exact(only_one: int, only_other: int) -> float:
    """Return the exact p-value of McNemar's test.

    `only_one` is the number of images that the one classifier alone has right, `only_other` that of the other.
    """
    return float(mcnemar([[0, only_one], [only_other, 0]], exact=True).pvalue)


def mcnemar_midp(only_one: int, only_other: int) -> float:
    """Return the mid-p value of McNemar's test: 2 P(X <= k) - P(X = k), or 1 - P(X = k)/2 if both counts are equal.

    k is the smaller count, X binomial with the sum of the counts and 1/2. Fagerland, Lydersen & Laake (2013), BMC
    Medical Research Methodology 13:91, from which the example is taken.

    >>> round(mcnemar_midp(1, 7), 3)
    0.039
    >>> mcnemar_midp(0, 0)
    1.0
    """
    few, discordant = min(only_one, only_other), only_one + only_other
    if discordant == 0:
        return 1.0
    point = binom.pmf(few, discordant, 0.5)
    if only_one == only_other:
        return float(1 - point / 2)
    return float(2 * binom.cdf(few, discordant, 0.5) - point)


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

    Returns flat scalars; differences are other minus one. McNemar's test is of the first seed alone.
    """
    if any(getattr(one, field) != getattr(other, field) for field in ("seeds", "files", "class_names")):
        raise ValueError("got predictions of different seeds, files or classes; expected the same in the same order: "
                         "see predictions.pair")
    right, other_right = one.correct, other.correct  # (seeds, images)
    accuracy = estimate(other_right.astype(float) - right, settings, counts=True)
    log_loss = estimate(other.log_losses - one.log_losses, settings)
    discordant = int((right & ~other_right)[0].sum()), int((other_right & ~right)[0].sum())
    seeds = accuracy.variances.seeds
    return {
        "accuracy_difference": accuracy.mean,
        "accuracy_low": accuracy.interval[0], "accuracy_high": accuracy.interval[1],
        "log_loss_difference": log_loss.mean,
        "log_loss_low": log_loss.interval[0], "log_loss_high": log_loss.interval[1],
        "mcnemar_p": mcnemar_exact(*discordant), "mcnemar_midp": mcnemar_midp(*discordant),
        "agreement": float((one.predicted == other.predicted).mean()),
        "verdict": verdict(accuracy.interval, accuracy.equivalence_interval, settings.margin),
        "images_needed": images_needed(accuracy.mean, accuracy.variances, seeds, settings.margin),
        "images": accuracy.variances.images, "seeds": seeds,
    }
