"""Findings in words: the same sentences for the console and every page. Titles name the two competitors."""

from collections.abc import Iterator

import pandas as pd

from versus import params
from versus.evaluation import article
from versus.evaluation.comparison import EQUIVALENT, ONE_BETTER, OTHER_BETTER
from versus.evaluation.explanation import by_size
from versus.evaluation.power import MOST_IMAGES
from versus.evaluation.sample_size import Plan
from versus.frameworks import Competitor
from versus.recipe.conventions import TABLE

Titles = tuple[str, str]
Pair = tuple[Competitor, Competitor]
VISIBLE = 5e-4  # half a table's last digit: a smaller residual is rounding, even if its interval excludes 0
ROUNDING = 1e-3  # features (relative L2) are this close at float32, tenfold and more, if conventions are equal
SIGNIFICANT = 0.05  # level of McNemar's test


def plural(number: int, noun: str, nouns: str | None = None) -> str:
    """Write a number and its noun, whose plural is `nouns` where adding an s does not make it.

    >>> plural(1, "seed"), plural(2000, "class", "classes")
    ('1 seed', '2,000 classes')
    """
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def image_noun(result: dict) -> str:
    """Name an image by the part that a result is of: 'test image'; those of unknown origin validate."""
    return f"{result.get('part') or 'validation'} image"


def verdict(result: dict, titles: Titles, margin: float) -> str:
    """Name the verdict of `comparison.compare`: 'PyTorch better', 'equivalent within 0.02', 'undecided'."""
    names = {ONE_BETTER: f"{titles[0]} better", OTHER_BETTER: f"{titles[1]} better",
             EQUIVALENT: f"equivalent within {margin:g}"}
    return names.get(result["verdict"], result["verdict"])


def comparison(result: dict, titles: Titles, margin: float) -> str:
    """Say the verdict, what McNemar's test says of the first seed, and how many images would decide it."""
    return (f"Verdict: {verdict(result, titles, margin)}. {_mcnemar(result)} Both give the same class to "
            f"{result['agreement']:.1%} of the images. {_images_needed(result)}")


def _mcnemar(result: dict) -> str:
    """Give McNemar's p; where it seems to contradict the verdict, say why the two can differ."""
    reason = _why_they_differ(result)
    text = f"McNemar's exact test of the first seed alone: p = {result['mcnemar_p']:.2g}."
    return f"{text} {reason}" if reason else text


def _why_they_differ(result: dict) -> str:
    """Say why McNemar's test of the first seed can differ from the verdict of all seeds; "" where it does not."""
    better = result["verdict"] in (ONE_BETTER, OTHER_BETTER)
    significant, several = result["mcnemar_p"] <= SIGNIFICANT, result["seeds"] > 1
    seeds = plural(result["seeds"], "seed")
    if better and not significant and several:
        return f"By itself this pair of training runs does not show the difference; the verdict rests on all {seeds}."
    if better and not significant:
        return ("It is not significant: the exact test is stricter than the interval, and one seed says nothing about "
                "another. Treat the verdict with caution.")
    if result["verdict"] == EQUIVALENT and significant:
        return ("A difference can be significant and yet smaller than the margin"
                + (f"; the verdict rests on all {seeds}." if several else "."))
    if not better and significant and several:
        return (f"It ignores that another seed can turn out differently; the verdict takes the variation between all "
                f"{seeds} into account.")
    if not better and significant:
        return ("The interval includes 0 all the same: it also allows for the skewness of so few images. Treat the "
                "p-value with caution.")
    return ""


def _images_needed(result: dict) -> str:
    needed = result["images_needed"]
    if needed < 0:
        return "No number of images would decide it: more seeds are needed."
    number = f"More than {needed:,}" if needed >= MOST_IMAGES else f"{needed:,}"
    if result["verdict"] == "undecided":
        return f"{number} {image_noun(result)}s would decide it with a probability of 80 %."
    what = "this equivalence" if result["verdict"] == EQUIVALENT else "a difference like this"
    return f"{number} {image_noun(result)}s show {what} with a probability of 80 %."


def parity(measured: dict, titles: Titles) -> str:
    """Say what equal conventions leave of the difference, from metrics/parity.json; "" where conventions differ."""
    if measured["conventions"] != "equal":
        return ""

    def differences(prefix: str) -> str:
        classes = plural(measured[f"{prefix}classes"], "predicted class", "predicted classes")
        return (f"probabilities by at most {measured[f'{prefix}probabilities']:.1g}, "
                f"{classes} of {measured['predictions']:,}")

    if measured["features"] > ROUNDING:
        return (f"Every convention is equal, yet the features differ by {measured['features']:.1g}, more than rounding "
                f"explains (below {ROUNDING:g}): parity is broken; run `make test`.")
    return (f"Every convention is equal, and what differs is rounding: features by at most "
            f"{measured['features']:.1g}, {differences('')}. Heads alone, trained on the same features: "
            f"{differences('heads_')}. {titles[1]} against itself, each batch in reverse order: "
            f"{differences('control_')}.")


def explanation(shares: pd.DataFrame, summary: dict, pair: Pair, other_differences: list[str]) -> Iterator[str]:
    """Say which conventions cause the difference, alone and together, what is left, and what chance alone does.

    `other_differences`: in what the native runs differ besides the conventions, as `other_differences` lists it.
    """
    causes = {metric: ", ".join(_causes(shares, metric, pair[1])) for metric in ("accuracy", "log_loss")}
    yield (f"Cause of the difference in accuracy: {causes['accuracy'] or 'no convention has a significant share'}. "
           f"In log loss: {causes['log_loss'] or 'none significant'}.")
    joint = shares[shares.significant & (shares.metric == "accuracy") & (shares.kind == "interaction")]
    for row in joint.itertuples():
        yield f"Together, {row.name} change the accuracy by {row.share:+.3f} beyond what each does alone."
    yield _unexplained(summary, other_differences)
    yield _chance(summary)


def _causes(shares: pd.DataFrame, metric: str, other: Competitor) -> Iterator[str]:
    """Name each convention with a significant share; for accuracy say what the other competitor does there."""
    shares = by_size(shares, metric)
    for row in shares[shares.significant].itertuples():
        default = f"; in {other.title} {TABLE[row.name][other.framework].words}" if metric == "accuracy" else ""
        yield f"{row.name} ({row.share:+.3f}{default})"


def _unexplained(summary: dict, other_differences: list[str]) -> str:
    """Say what the conventions leave of the difference."""
    explained = all(summary[f"{metric}_residual_low"] < VISIBLE and summary[f"{metric}_residual_high"] > -VISIBLE
                    for metric in ("accuracy", "log_loss"))
    reason = " and ".join(other_differences)
    if not reason and not explained:
        reason = "a convention is missing from the table"
    return (f"Not explained: {summary['accuracy_residual']:+.3f} in accuracy, {summary['log_loss_residual']:+.3f} in "
            f"log loss, {'within' if explained else 'more than'} noise" + (f": {reason}." if reason else "."))


def _chance(summary: dict) -> str:
    if "chance_of_published_gap" not in summary:
        return "Variation between seeds: unknown with one seed; raise train.seeds."
    low, high = summary["chance_of_published_gap_low"], summary["chance_of_published_gap_high"]
    return (f"Variation between seeds: retraining with another seed changes the difference by "
            f"{summary['single_run_sd']:.3f} (standard deviation). Two runs of the same framework differ by the "
            f"article's {article.DIFFERENCE:.3f} or more in {summary['chance_of_published_gap']:.0%} of cases "
            f"({low:.0%} to {high:.0%}).")


def sample_size(plan: Plan) -> str:
    """Say how likely a run like this one is to show the difference, and how many seeds would be enough."""
    if plan.seeds_needed is None:
        more = "one seed shows no variance between seeds: this is for these two trained heads; raise train.seeds"
    else:
        seeds = plural(plan.seeds_needed, "seed") if plan.seeds_needed > 0 else "no number of seeds"
        more = f"with these images {seeds} would be enough"
    return (f"With {plural(plan.images, 'image')} and {plural(plan.seeds, 'seed')}, as in this run, the probability of "
            f"showing it is {plan.probability:.0%}; {more}.")


def other_differences(settings: params.Params, titles: Titles) -> list[str]:
    """List everything, apart from the conventions, in which the native runs differ from the combinations."""
    differences = []
    if settings.explain.views != settings.extract.views:
        differences.append(f"other views (explain.views {settings.explain.views}, "
                           f"extract.views {settings.extract.views})")
    if not settings.model.shared:
        differences.append(f"{titles[1]}'s own network and weights (model.weights: native)")
    return differences
