"""The effect of each convention on the difference between two competitors: Shapley shares over all combinations.

A combination follows the other's default in some of the conventions in which the two differ, and the one's default in
the rest. Its index counts in bits: bit j is set where convention j is the other's. All arrays of combinations are in
that order. Differences are other minus one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations as subsets
from math import comb

import numpy as np
import pandas as pd

from versus import params
from versus.artifacts.predictions import Predictions, same_probabilities
from versus.evaluation.findings import by_size
from versus.evaluation.intervals import estimate

METRICS: dict[str, Callable[[Predictions], np.ndarray]] = {  # (seeds, images) of predictions
    "accuracy": lambda predictions: predictions.correct.astype(float),
    "log_loss": lambda predictions: predictions.log_losses,
}
# how much the effects can change the correctness of an image: right (1) or wrong (0), and for two conventions both
LARGEST_EFFECT = {"convention": 1.0, "interaction": 2.0, "total": 1.0, "native": 1.0}


@dataclass(frozen=True)
class Effect:
    """One row of the explanation: an effect on each prediction, (seeds, images), and how many there are of its kind.

    exact: whether it is 0 for any image, since the predictions that it compares are the same to the last bit.
    """

    kind: str  # convention | interaction | total | native | residual
    name: str
    cells: np.ndarray
    exact: bool
    number: int = 1


def shapley(count: int) -> np.ndarray:
    """Return the weights (count, 2^count) that turn the values of all combinations into Shapley's shares.

    share[j] = sum over combinations S without j of |S|! (k-|S|-1)! / k! (v(S + j) - v(S)); Shapley (1953), A value for
    n-person games. The shares add up to v(all) - v(none), whatever the interactions.

    >>> shapley(2)  # of none, the first, the second, both
    array([[-0.5,  0.5, -0.5,  0.5],
           [-0.5, -0.5,  0.5,  0.5]])
    """
    weights = np.zeros((count, 2**count))
    for j in range(count):
        for without in _without(count, 1 << j):
            weight = 1 / (count * comb(count - 1, without.bit_count()))
            weights[j, without | 1 << j] += weight
            weights[j, without] -= weight
    return weights


def interactions(count: int) -> np.ndarray:
    """Return the weights (pairs, 2^count) of Shapley's interaction index, pairs in the order of itertools.combinations.

    index[i, j] = sum over S without i, j of |S|! (k-|S|-2)! / (k-1)! (v(S+i+j) - v(S+i) - v(S+j) + v(S)): how much more
    the two do together than separately; Grabisch & Roubens (1999), International Journal of Game Theory 28.

    >>> interactions(2)
    array([[ 1., -1., -1.,  1.]])
    """
    pairs = list(subsets(range(count), 2))
    weights = np.zeros((len(pairs), 2**count))
    for row, (i, j) in enumerate(pairs):
        first, second = 1 << i, 1 << j
        for without in _without(count, first | second):
            weight = 1 / ((count - 1) * comb(count - 2, without.bit_count()))
            weights[row, [without | first | second, without]] += weight
            weights[row, [without | first, without | second]] -= weight
    return weights


def _without(count: int, bits: int) -> list[int]:
    """List the combinations in which none of `bits` is set."""
    return [index for index in range(2**count) if not index & bits]


def explain(names: list[str], combinations: list[Predictions], one: Predictions, other: Predictions,
            settings: params.Compare) -> pd.DataFrame:
    """Divide the difference between `one` and `other` among the conventions `names`.

    combinations: the predictions of all 2^k of them. one, other: those of the two native runs, with the same seeds.
    Returns a row for each effect with the columns metric (accuracy, log_loss), kind (convention, interaction, total,
    native, residual), name, share, low and high (the 95 % interval over new images and seeds), and significant:
    whether the share differs from zero after Bonferroni correction for all shares of its metric and kind. A share is
    linear in the predictions, so it has a value for each seed and image, and an interval like a difference. One of
    exactly 0 to 0 says that the default changes no bit of any prediction.
    """
    same = _without_effect(names, combinations)
    native_same = same_probabilities(one, other)
    rows = []
    for metric, score in METRICS.items():
        values = np.stack([score(predictions) for predictions in combinations])  # (2^k, seeds, images)
        for effect in _effects(names, values, same, score(other) - score(one), native_same):
            bounds = LARGEST_EFFECT.get(effect.kind) if metric == "accuracy" else None
            rows.append({"metric": metric, "kind": effect.kind, "name": effect.name,
                         **_estimate(effect, settings, one.units, bounds)})
    return pd.DataFrame(rows)


def _without_effect(names: list[str], combinations: list[Predictions]) -> list[bool]:
    """Say of each convention whether no combination's predictions change by a single bit when it is switched."""
    return [all(same_probabilities(combinations[without], combinations[without | 1 << j])
                for without in _without(len(names), 1 << j)) for j in range(len(names))]


def _effects(names: list[str], values: np.ndarray, same: list[bool], native: np.ndarray,
             native_same: bool) -> list[Effect]:
    """List all effects of one metric from its `values` (2^k, seeds, images) and the native runs' difference.

    same, native_same: whether each convention, and the native runs' difference, are without any effect.
    """
    pairs = [f"{first} x {second}" for first, second in subsets(names, 2)]
    pairs_same = [first or second for first, second in subsets(same, 2)]
    shares = np.tensordot(shapley(len(names)), values, 1)
    joint = np.tensordot(interactions(len(names)), values, 1) if pairs else ()
    total = values[-1] - values[0]
    return [*(Effect("convention", *row, len(names)) for row in zip(names, shares, same)),
            *(Effect("interaction", *row, len(pairs)) for row in zip(pairs, joint, pairs_same)),
            Effect("total", "all conventions", total, all(same)),
            Effect("native", "the two native runs", native, native_same),
            Effect("residual", "not explained", native - total, native_same and all(same))]


def _estimate(effect: Effect, settings: params.Compare, units: np.ndarray, bounds: float | None) -> dict:
    """Return the mean of an effect, its 95 % interval, and whether it is significant as one of its kind."""
    if effect.exact:
        return {"share": 0.0, "low": 0.0, "high": 0.0, "significant": False}
    cells = np.where(np.abs(effect.cells) < 1e-12, 0.0, effect.cells)  # weighted sums of equal values: only rounding
    result = estimate(cells, settings, units, bounds)
    (low, high), corrected = result.interval(), result.interval(1 - 0.05 / effect.number)
    return {"share": result.mean, "low": low, "high": high, "significant": corrected[0] > 0 or corrected[1] < 0}


def waterfall(shares: pd.DataFrame, one: Predictions, other: Predictions, titles: tuple[str, str]) -> pd.DataFrame:
    """Return the steps from the accuracy of `one` to that of `other`, the largest share first.

    Columns step, kind (competitor, convention, residual), start, end, share, low, high, scope: which images the plot
    is about. What the conventions leave unexplained of the difference is the step 'not explained'; `titles` name the
    first and the last step.
    """
    ends = [{"step": title, "kind": "competitor", "start": accuracy, "end": accuracy,
             "share": 0.0, "low": 0.0, "high": 0.0}
            for title, accuracy in zip(titles, (float(each.correct.mean()) for each in (one, other)))]
    residual = shares[(shares.metric == "accuracy") & (shares.kind == "residual")]
    steps = pd.concat([by_size(shares, "accuracy"), residual])
    rows, reached = [], ends[0]["end"]
    for step in steps.itertuples():
        rows.append({"step": step.name, "kind": step.kind, "start": reached, "end": reached + step.share,
                     "share": step.share, "low": step.low, "high": step.high})
        reached += step.share
    return pd.DataFrame([ends[0], *rows, ends[1]]).assign(scope=one.scope)
