"""Is a classifier worse than it was? A paired test of two revisions' predictions for the same images and seeds."""

import pandas as pd

from versus import params
from versus.artifacts.predictions import Predictions, same_probabilities
from versus.evaluation import comparison

SAME, WORSE, LOWER, NOT_WORSE, HIGHER, UNDECIDED = ("same", "worse", "lower", "not worse", "higher", "undecided")


def outcome(interval: tuple[float, float], margin: float) -> str:
    """Judge by the 95 % interval of the accuracy difference, now minus before.

    WORSE, which alone fails the gate: the whole interval lies below -margin. If the true loss is no larger than the
    margin, that has a probability of at most 2.5 %, and of at most 5 % for one of two competitors. The converse is not
    promised: a true loss that these images and seeds cannot tell from the margin passes, as LOWER or as UNDECIDED.
    LOWER: significantly lower, yet perhaps by less than the margin. NOT_WORSE: a loss of the margin is excluded, which
    is the test of non-inferiority. HIGHER: significantly higher. How often each is said: benchmark/statistics,
    gate_outcomes.

    >>> [outcome(each, 0.02) for each in ((-0.1, -0.03), (-0.1, -0.01), (-0.01, 0.02), (-0.1, 0.1), (0.01, 0.1))]
    ['worse', 'lower', 'not worse', 'undecided', 'higher']
    """
    low, high = interval
    if high < -margin:
        return WORSE
    if low > 0:
        return HIGHER
    if low > -margin:
        return NOT_WORSE
    return LOWER if high < 0 else UNDECIDED


def judge(before: Predictions, now: Predictions, settings: params.Compare) -> dict:
    """Judge predictions that are paired: see `predictions.pair`.

    Returns what `comparison.compare` does, whose differences are now minus before, with outcome, margin, and accuracy
    before and now. SAME: all probabilities are equal, so that no statistics are needed.
    """
    result = comparison.compare(before, now, settings)
    return result | {
        "outcome": SAME if same_probabilities(before, now) else outcome(
            (result["accuracy_low"], result["accuracy_high"]), settings.margin),
        "margin": settings.margin, "before": float(before.correct.mean()), "now": float(now.correct.mean()),
    }


def turned(before: Predictions, now: Predictions) -> pd.DataFrame:
    """Return the images that most seeds had right before and do not now, or the other way round, clearest first.

    Columns: file, label (its class), before and now (share of the seeds that are right, 0..1). Half are not most.
    """
    shares = pd.DataFrame({"file": now.files, "label": [now.class_names[label] for label in now.labels],
                           "before": before.correct.mean(axis=0), "now": now.correct.mean(axis=0)})
    rows = shares[(shares.before > 0.5) != (shares.now > 0.5)]
    return rows.loc[(rows.before - rows.now).abs().sort_values(ascending=False, kind="stable").index]
