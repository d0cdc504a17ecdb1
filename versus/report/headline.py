"""The answer in two sentences that need no statistics: for the top of the report, and for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from versus.evaluation.findings import EQUIVALENT, NEITHER, ONE_BETTER, UNDECIDED, by_size
from versus.report.sentences import Pair

if TYPE_CHECKING:
    import pandas as pd


def headline(one: dict[str, Any], other: dict[str, Any], result: dict[str, Any], pair: Pair,
             shares: pd.DataFrame | None) -> tuple[str, str]:
    """Say which of the pair is better, and what to make of it.

    one, other: `scores.summary` of the two; result: `comparison.compare`; shares: `explanation.explain`, None if the
    difference was not explained.
    """
    return _better(one, other, result, pair), _advice(one, result, pair, shares)


def _better(one: dict, other: dict, result: dict, pair: Pair) -> str:
    titles = [each.title for each in pair]
    scores = f"{titles[0]} classifies {_percent(one['accuracy'])} of them correctly, {titles[1]} " + _percent(
        other["accuracy"])
    points = f"{100 * abs(result['accuracy_difference']):.1f} percentage points"
    if result["verdict"] == UNDECIDED:
        apart = f"a difference of {points} can be chance" if result["accuracy_difference"] else "no difference"
        return f"It is undecided which of the two is more accurate on images like these: {scores}, and {apart}."
    if result["verdict"] == EQUIVALENT:
        return (f"On images like these the two are equally accurate for all practical purposes: {scores}, and the true "
                f"difference is very probably less than {100 * result['margin']:g} percentage points.")
    better = titles[0] if result["verdict"] == ONE_BETTER else titles[1]
    return (f"{better} is more accurate on images like these: {scores}, and chance does not explain a difference of "
            f"{points}.")


def _advice(one: dict, result: dict, pair: Pair, shares: pd.DataFrame | None) -> str:
    if result["better_than_majority"] == NEITHER:
        return (f"But neither is significantly better than always naming the most frequent class "
                f"({_percent(one['majority'])}): the classifiers learnt too little from these images to choose by.")
    if result["verdict"] == EQUIVALENT:
        return "So choose by what else matters to you."
    if result["verdict"] == UNDECIDED:
        if result["smallest_difference"] >= 1:
            return "So few images cannot show any difference: add some, or choose by what else matters to you."
        return (f"These images would probably have shown a difference of {100 * result['smallest_difference']:.1f} "
                "points or more; if a smaller one matters to you, add images, or else choose by what else does.")
    if shares is None:
        return "What causes the difference was not computed: the stage explain does that."
    (total,) = shares[(shares.metric == "accuracy") & (shares.kind == "total")].itertuples()
    if total.low <= 0 <= total.high or total.share * result["accuracy_difference"] < 0:
        return "What causes it is not shown: the runs that were trained to explain it do not show the same difference."
    rows = by_size(shares, "accuracy")
    rows = rows[rows.significant & (rows.share * result["accuracy_difference"] > 0)]
    if not len(rows):
        return "No single default of the two frameworks explains it beyond chance."
    name, share = rows.name.iloc[0], rows.share.iloc[0]
    part = "Most of it is" if share / result["accuracy_difference"] > 0.5 else "The largest part of it is"
    return (f"{part} the effect of one default, {name}, which can be changed: in {pair[0].title} "
            f"{pair[0].own_default(name).words}; in {pair[1].title} {pair[1].own_default(name).words}.")


def _percent(share: float) -> str:
    """Write a share as a percentage with the digits that the tables have: 0.7795 is 0.779 there, and 77.9 % here."""
    return f"{100 * float(f'{share:.3f}'):.1f} %"
