"""Findings in words: the same sentences for the console and every page. Titles name the two competitors."""

from __future__ import annotations

from collections.abc import Iterator
from math import isclose
from typing import TYPE_CHECKING

from versus import params
from versus.evaluation import article
from versus.evaluation.findings import (BOTH, EQUIVALENT, NEITHER, ONE, ONE_BETTER, OTHER, OTHER_BETTER, SIGNIFICANT,
                                        SMALLEST_P, UNDECIDED, Completeness, Plan, by_size)
from versus.frameworks import Competitor
from versus.recipe.conventions import VERSIONS
from versus.report.numbers import interval, percentage, plural, signed

if TYPE_CHECKING:
    import pandas as pd

Titles = tuple[str, str]
Pair = tuple[Competitor, Competitor]
# features (relative L2) are this close if conventions are equal; by precision, measured: 3e-5, 0.16
ROUNDING = {"full": 1e-3, "bfloat16": 0.5}
FEW_IMAGES = 30  # with fewer the accuracy of a single run is uncertain by 0.1 and more
FEW_WRONG = 20  # with fewer wrong answers the interval of the log loss covers too little: benchmark/statistics
SCOPE_OF_RUN = ("Training images, split and augmented views are fixed: the verdict is about accuracy, on this part, "
                "given these views; compare.splits tries others.")
SCOPE_OF_FILES = "Training data and split are fixed: the verdict is about accuracy, on images like these."


def images(number: int, units: int, noun: str = "validation image") -> str:
    """Write a number of images and, if some of them belong together, how many are independent.

    >>> images(57, 41), images(57, 57)
    ('57 validation images, 41 independent', '57 validation images')
    """
    return plural(number, noun) + (f", {units:,} independent" if units != number else "")


def image_noun(result: dict) -> str:
    """Name an image by the part that a result is of: 'test image'; those of unknown origin validate."""
    return f"{result.get('part') or 'validation'} image"


def named(who: str, titles: Titles) -> str:
    """Name which of the two `who` means: BOTH, ONE, OTHER or NEITHER."""
    return {ONE: titles[0], OTHER: titles[1]}.get(who, who)


def verdict(result: dict, titles: Titles, margin: float) -> str:
    """Name the verdict of `comparison.compare`: 'PyTorch better', 'equivalent within 0.02', 'undecided'."""
    text = f"{EQUIVALENT} within {margin:g}" if result["verdict"] == EQUIVALENT else short_verdict(result, titles)
    return f"{text}, and neither beats the most frequent class" if result["better_than_majority"] == NEITHER else text


def short_verdict(result: dict, titles: Titles) -> str:
    """Name the verdict in two words at most: 'PyTorch better', 'equivalent', 'undecided'."""
    return {ONE_BETTER: f"{titles[0]} better", OTHER_BETTER: f"{titles[1]} better"}.get(result["verdict"],
                                                                                       result["verdict"])


def comparison(one: dict, other: dict, result: dict, titles: Titles, margin: float, scope: str) -> Iterator[str]:
    """Say the verdict, what it is about, and what else a reader must know to trust it.

    one, other: `scores.summary` of the two; result: `comparison.compare`; scope: SCOPE_OF_RUN or SCOPE_OF_FILES.
    """
    yield (f"Verdict: {verdict(result, titles, margin)} ({p_value(result)}). {_seeds(result, titles)}Both give the "
           f"same class to {percentage(result['agreement'], 1)} of the images.")
    yield scope
    if result["units"] < FEW_IMAGES:
        yield (f"Only {images(result['images'], result['units'], image_noun(result))}: they show large differences "
               "alone, and a verdict on so few may not hold for others.")
    if result["better_than_majority"] != BOTH:
        who = {ONE: f"{titles[1]} is not", OTHER: f"{titles[0]} is not"}.get(result["better_than_majority"],
                                                                            "Neither is")
        yield (f"{who} significantly more accurate than naming the most frequent class for every image "
               f"({one['majority']:.3f}).")
    if result["verdict"] == UNDECIDED:
        yield _smallest_difference(result)
    yield from _spread(result, titles)
    intervals = [f"{title} {signed(each['overconfidence'])} "
                 f"({interval(each['overconfidence_low'], each['overconfidence_high'])})"
                 for title, each in zip(titles, (one, other))]
    yield f"Overconfidence, mean confidence minus accuracy (95 % interval): {', '.join(intervals)}."
    if result["wrong"] < FEW_WRONG:
        yield (f"Fewer than {FEW_WRONG} wrong answers ({result['wrong']:.0f} of the better one): the interval of the "
               "log loss is unreliable, since a single confident mistake in other images would move it.")


def ensemble(one: dict, other: dict, titles: Titles) -> str:
    """Say what the mean of all heads gains over one head; "" if the saved classifiers have only one."""
    if "ensemble_accuracy" not in one:
        return ""
    gains = [f"{title} {each['ensemble_accuracy']:.3f}, {signed(each['ensemble_accuracy_gain'])} "
             f"({interval(each['ensemble_accuracy_gain_low'], each['ensemble_accuracy_gain_high'])})"
             for title, each in zip(titles, (one, other))]
    return (f"The saved classifiers are the mean of all {one['seeds']} heads: their accuracy, and the gain over the "
            f"mean of single heads (95 % interval): {'; '.join(gains)}.")


def p_value(result: dict) -> str:
    """Give the p-value that inverts the interval of the accuracy difference."""
    value = f"p < {SMALLEST_P:g}" if result["p_value"] <= SMALLEST_P else f"p = {result['p_value']:.2g}"
    return f"{value}, McNemar's exact test" if result["seeds"] == 1 and result["units"] == result["images"] else value


def _seeds(result: dict, titles: Titles) -> str:
    """Say in how many seeds the difference points the same way, and in how many a single pair would have shown it."""
    text = ""
    if result["verdict"] == EQUIVALENT and result["p_value"] <= SIGNIFICANT:
        text = "The difference is significant, yet smaller than the margin. "
    if result["seeds"] == 1 or not result["accuracy_difference"]:
        return text
    direction = "lower" if result["accuracy_difference"] < 0 else "higher"
    return (f"{text}{titles[1]} is {direction} in {result['seeds_of_same_sign']} of {result['seeds']} seeds; a single "
            f"pair of runs would have shown a significant difference in {result['significant_seeds']} of them. ")


def _smallest_difference(result: dict) -> str:
    smallest = result["smallest_difference"]
    if smallest >= 1:
        return "No difference would be shown by such images and seeds with a probability of 80 %."
    return (f"Such images and seeds show a true difference of {smallest:.3f} or more with a probability of 80 %; "
            "`python -m versus sample-size` says what a smaller one needs.")


def _spread(result: dict, titles: Titles) -> Iterator[str]:
    """Say how much of the uncertainty seeds and images make, and how often runs of one competitor differ by a gap."""
    if result["seeds"] == 1:
        yield "Variation between seeds: unknown with one seed; train more of them."
        return
    few = " Two seeds are too few for their spread: train three or more." if result["seeds"] == 2 else ""
    yield (f"Images make {percentage(result['share_of_images'])} of the difference's variance, which more seeds would "
           f"not reduce. Between seeds, the difference of a pair of runs varies by {result['single_run_sd']:.3f} "
           f"(standard deviation).{few}")
    what = "the article's " if isclose(result["gap"], article.DIFFERENCE) else ""
    ranges = [[percentage(result[f"chance_of_gap_{who}{end}"]) for end in ("", "_low", "_high")]
              for who in (ONE, OTHER)]
    shares = [f"in {chance} of pairs ({low} to {high})" for chance, low, high in ranges]
    yield (f"Two runs of {titles[0]} differ by {what}{result['gap']:.3g} or more {shares[0]}, two of {titles[1]} "
           f"{shares[1]}.")


SOURCES = {"images": "the validation images", "training": "the training images", "views": "the views",
           "seed": "the seeds"}  # of the variation of a single run, see `splits.components`


def splits_title(result: dict, titles: Titles) -> str:
    """Name what a comparison over several splits is of."""
    return (f"{images(result['images'], result['units'], 'image')}, {result['splits']} splits, {result['view_sets']} "
            f"sets of views, {plural(result['seeds'], 'seed')} ({titles[1]} minus {titles[0]})")


def splits(result: dict, titles: Titles) -> Iterator[str]:
    """Say what another split, other views and other seeds would change, from `splits.compare_splits`."""
    yield (f"Over new images, training sets of {plural(result['training_images'], 'image')}, views and seeds: "
           f"{p_value(result | {'seeds': 0})}.")
    share, low, high = (percentage(result[f"probability_{name}"]) for name in ("other_better", "low", "high"))
    yield (f"{titles[1]} is more accurate than {titles[0]} in {share} of single runs, each on one split with views and "
           f"a seed of its own (ties count half; {low} to {high} by {result['splits']} splits).")
    sources = {words: result[f"sd_{name}"] for name, words in SOURCES.items()}
    if result["seeds"] == 1:
        del sources[SOURCES["seed"]]
    listed = ", ".join(f"{words} {sources[words]:.3f}" for words in sorted(sources, key=lambda each: -sources[each]))
    yield (f"The difference of such a run varies by {result['sd_single_run']:.3f} (standard deviation; by source: "
           f"{listed}).")


def parity(measured: dict, titles: Titles) -> str:
    """Say what equal conventions leave of the difference; `measured` is what stage parity measured."""
    if measured["conventions"] != "equal":
        return (f"The conventions differ, and so do whole runs and heads; {titles[1]} against itself, each batch in "
                "reverse order, shows what rounding alone does.")

    def differences(prefix: str) -> str:
        classes = plural(measured[f"{prefix}classes"], "predicted class", "predicted classes")
        return (f"probabilities by at most {measured[f'{prefix}probabilities']:.1g}, "
                f"{classes} of {measured['predictions']:,}")

    if measured["features"] > (bound := ROUNDING[measured["precision"]]):
        return (f"Every convention is equal, yet the features differ by {measured['features']:.1g}, more than rounding "
                f"explains (below {bound:g}): parity is broken; run `make test`.")
    if measured["precision"] == "bfloat16":
        return ("Every convention is equal, but views are in bfloat16, and the two frameworks round at different "
                f"places: features differ by at most {measured['features']:.1g}, {differences('')}.")
    return (f"Every convention is equal, and what differs is rounding: features by at most "
            f"{measured['features']:.1g}, {differences('')}. Heads alone, trained on the same features: "
            f"{differences('heads_')}. {titles[1]} against itself, each batch in reverse order: "
            f"{differences('control_')}.")


def explanation(shares: pd.DataFrame, pair: Pair) -> Iterator[str]:
    """Say which conventions cause the difference, alone and together."""
    for metric, name in (("accuracy", "accuracy"), ("log_loss", "log loss")):
        yield _causes(shares, metric, name, pair[1])
    joint = shares[shares.significant & (shares.metric == "accuracy") & (shares.kind == "interaction")]
    for row in joint.itertuples():
        yield f"Together, {row.name} change the accuracy by {signed(row.share)} beyond what each does alone."


def _listed(rows: pd.DataFrame, metric: str, other: Competitor) -> str:
    """List conventions with their shares; for accuracy say what the other competitor does there."""
    return ", ".join(
        f"{row.name} ({signed(row.share)}" + (f"; in {other.title} {other.own_default(row.name).words}"
                                           if metric == "accuracy" else "") + ")" for row in rows.itertuples())


def _significant(shares: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return the conventions with a significant share in one metric, the largest first."""
    rows = by_size(shares, metric)
    return rows[rows.significant]


def _causes(shares: pd.DataFrame, metric: str, name: str, other: Competitor) -> str:
    """Name the conventions with a significant share: causes if it has the sign of a significant total."""
    (total,) = shares[(shares.metric == metric) & (shares.kind == "total")].itertuples()
    rows = _significant(shares, metric)
    if total.low <= 0 <= total.high:
        within = _listed(rows, metric, other) or "no convention"
        verb = "have a significant effect" if len(rows) > 1 else "has a significant effect"
        return f"No significant difference in {name}; within it, {within} {verb}."
    same = rows.share * total.share > 0
    against = f"; against it works {_listed(rows[~same], metric, other)}" if not same.all() else ""
    causes = _listed(rows[same], metric, other) or "no convention has a significant share"
    return f"Cause of the difference in {name}: {causes}{against}."


def enlargement(side: int, image_size: int) -> str:
    """Say that the images are enlarged twofold or more, from a median side to `image_size`, both in pixels; else ""."""
    times = image_size / side
    if times < 2:
        return ""
    return (f"The images, {side} pixels a side in the median, are enlarged {times:.1f} times (model.image_size: "
            f"{image_size}). How they are enlarged, the convention resize, can decide more than the framework.")


def era(year: params.Era) -> str:
    """Say whose defaults are compared where they are not today's; else ""."""
    if year == "today":
        return ""
    return f"The defaults are those of {year}: {VERSIONS[year]}. Today's: conventions.era=today."


def eras(shares: pd.DataFrame, scores: list[dict], pair: Pair) -> Iterator[str]:
    """Say how far other defaults moved one framework, and which of them; `scores` are those of both eras."""
    one, other = (f"{summary['accuracy']:.3f} ± {summary['accuracy_sd']:.3f}" for summary in scores)
    total = shares[(shares.metric == "accuracy") & (shares.kind == "total")].iloc[0]
    moved = (f"moves by {signed(total.share)} ({interval(total.low, total.high)})" if total.significant
             else f"does not move significantly ({signed(total.share)}, {interval(total.low, total.high)})")
    yield f"From {pair[0].title} ({one}) to {pair[1].title} ({other}) the accuracy {moved}."
    causes, of_log_loss = (_listed(_significant(shares, metric), metric, pair[1])
                           for metric in ("accuracy", "log_loss"))
    yield (f"Changed defaults with a significant share: {causes or 'none'}. "
           f"In log loss: {of_log_loss or 'none'}.")


COMPLETE, INCOMPLETE, NOT_JUDGED = "yes", "no", "not judged"


def complete(judged: Completeness | None) -> str:
    """Say in a word whether the table of conventions is complete; None: the native runs differ in other ways, too."""
    if judged is None:
        return NOT_JUDGED
    return COMPLETE if judged.complete else INCOMPLETE


def completeness(judged: Completeness | None, titles: Titles, other_differences: list[str]) -> str:
    """Say whether the conventions explain all of the difference, and what else there is."""
    if judged is None:
        return (f"Whether the conventions explain all of it cannot be judged: the native runs have "
                f"{' and '.join(other_differences)}.")
    classes = f"{judged.classes:,} of {plural(judged.predictions, 'class', 'classes')} differ"
    if judged.complete:
        return f"Complete: each framework's defaults, all together, give the predictions of its own run ({classes})."
    return (f"Incomplete: something outside the table of conventions differs; the shares do not explain the "
            f"difference. It first appears in the {judged.stage} of {titles[judged.competitor]} ({classes}): compare "
            "the versions, run `make test`, and report what you find.")


def sample_size(plan: Plan) -> str:
    """Say how likely a run like this one is to show the difference, and how many seeds would be enough."""
    if plan.seeds_needed is None:
        more = "one seed shows no variance between seeds: this is for these two trained heads; raise train.seeds"
    else:
        seeds = plural(plan.seeds_needed, "seed") if plan.seeds_needed > 0 else "no number of seeds"
        more = f"with these images {seeds} would be enough"
    comma = "," if plan.units != plan.images else ""
    return (f"With {images(plan.images, plan.units, 'image')}{comma} and {plural(plan.seeds, 'seed')}, as in this run, "
            f"the probability of showing it is {percentage(plan.probability)}; {more}.")


def other_differences(settings: params.Params, titles: Titles) -> list[str]:
    """List everything, apart from the conventions, in which the native runs differ from the combinations."""
    views = settings.extract.views, settings.explain.views
    possible = [(views[0] != views[1], f"other views (explain.views {views[1]}, extract.views {views[0]})"),
                (settings.extract.precision == "bfloat16",
                 "views in bfloat16, and the two frameworks round at different places (extract.precision)"),
                (not settings.model.shared, f"{titles[1]}'s own network and weights (model.weights: native)")]
    return [words for differ, words in possible if differ]
