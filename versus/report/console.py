"""The findings as tables and sentences in the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from versus.evaluation.findings import MOST_UNITS, Plan, by_size
from versus.report import sentences
from versus.report.numbers import interval, plural, signed
from versus.report.sentences import Pair, Titles

if TYPE_CHECKING:
    import pandas as pd

ROWS = {"accuracy": "accuracy", "balanced_accuracy": "balanced accuracy", "macro_f1": "macro F1",
        "majority": "most frequent class", "log_loss": "log loss", "brier": "Brier", "roc_auc": "ROC AUC",
        "overconfidence": "overconfidence", "ece": "ECE (by chance)"}
UNEQUAL = ("balanced_accuracy", "macro_f1", "majority")  # rows that say something only where classes differ in size
PARITY_ROWS = {"pixels": "pixel values", "features": "features", "statistics": "running statistics",
               "losses": "losses, worst seed", "losses_median": "losses, median seed", "weights": "heads' weights",
               "probabilities": "probabilities", "classes": "predicted classes"}
# of the explanation, what stands below the conventions
LAST_ROWS = {"all conventions": "sum", "the two native runs": "native runs", "not explained": "not explained"}


def comparison_table(one: dict, other: dict, result: dict, titles: Titles) -> Table:
    """Return a table of both competitors' scores (`scores.summary`) and of `comparison.compare`'s result."""
    means = "mean ± sd of seeds; " if result["seeds"] > 1 else ""
    noun = sentences.image_noun(result)
    table = _table(f"{sentences.images(result['images'], result['units'], noun)}, {plural(result['seeds'], 'seed')} "
                   f"({means}{titles[1]} minus {titles[0]})", *titles, "difference", "95 % interval", foldable=titles)
    equal = one["majority"] * one["classes"] < 1.2  # or nearly so
    for name, label in ROWS.items():
        if name not in one or equal and name in UNEQUAL:
            continue  # what the images do not define: see `scores.summary`
        if name == "brier":
            label += " (0 to 1)" if one["classes"] == 2 else " (0 to 2)"
        table.add_row(label, _score(one, name), _score(other, name), *_difference(result, name))
        if f"ensemble_{name}" in one:
            table.add_row("… mean of all heads", *(f"{each[f'ensemble_{name}']:.3f}" for each in (one, other)), "", "")
    return table


def show_comparison(one: dict, other: dict, result: dict, titles: Titles, margin: float, scope: str,
                    console: Console | None = None) -> None:
    """Print the table and the sentences of a comparison."""
    _show(comparison_table(one, other, result, titles),
          sentences.comparison(one, other, result, titles, margin, scope), console)


def show_scores(one: dict, title: str, console: Console | None = None) -> None:
    """Print a table of one classifier's scores (`scores.summary`)."""
    noun = sentences.image_noun(one)
    table = _table(sentences.images(one["images"], one["units"], noun), title, foldable=(title,))
    for name, label in ROWS.items():
        if name in one:
            table.add_row(label, _score(one, name))
    _show(table, [], console)


def show_notes(notes: Iterable[str], console: Console | None = None) -> None:
    """Print sentences, each on a line of its own, without those that are empty."""
    _print(notes, console or Console(highlight=False))


def explanation_table(shares: pd.DataFrame, about: dict, titles: Titles) -> Table:
    """Return a table of `explanation.explain`'s shares: conventions by size, then their sum and what is left."""
    where = f", {plural(about['images'], sentences.image_noun(about))}"
    table = _table(f"Why they differ: the share of each convention ({titles[1]} minus {titles[0]}{where})",
                   "accuracy", "95 % interval", "log loss", "95 % interval")
    accuracy, log_loss = (shares[shares.metric == metric].set_index("name") for metric in ("accuracy", "log_loss"))
    conventions = by_size(shares, "accuracy").name
    last_rows = {name: label for name, label in LAST_ROWS.items() if name in accuracy.index}
    for name in (*conventions, *last_rows):
        cells = [text for row in (accuracy.loc[name], log_loss.loc[name])
                 for text in (signed(row.share), _share_interval(row))]
        table.add_row(last_rows.get(name, name), *cells)
    return table


def show_explanation(shares: pd.DataFrame, about: dict, completeness: str, pair: Pair,
                     console: Console | None = None) -> None:
    """Print the table and the sentences of the explanation.

    about: part and images, as metrics/details/explain.json has them; completeness: `sentences.completeness`.
    """
    _show(explanation_table(shares, about, (pair[0].title, pair[1].title)),
          [*sentences.explanation(shares, pair), completeness], console)


def parity_table(measured: dict, titles: Titles) -> Table:
    """Return a table of the largest differences at each step, from metrics/details/parity.json."""
    table = _table(f"Largest differences, {measured['conventions']} conventions", "whole runs", "heads alone",
                   f"{titles[1]} against itself")
    for name, label in PARITY_ROWS.items():
        table.add_row(label, *(_parity(measured, prefix + name) for prefix in ("", "heads_", "control_")))
    return table


def show_parity(measured: dict, titles: Titles, console: Console | None = None) -> None:
    """Print the largest differences at each step, and what they mean."""
    _show(parity_table(measured, titles), [sentences.parity(measured, titles)], console)


def show_eras(shares: pd.DataFrame, scores: list[dict], pair: Pair, console: Console | None = None) -> None:
    """Print what changed defaults did to one framework; `scores` are `scores.summary` of both eras' runs."""
    titles = (pair[0].title, pair[1].title)
    _show(explanation_table(shares, scores[0], titles), sentences.eras(shares, scores, pair), console)


def splits_table(result: dict, titles: Titles) -> Table:
    """Return a table of what `splits.compare_splits` measured over several splits."""
    table = _table(sentences.splits_title(result, titles), *titles, "difference", "95 % interval", foldable=titles)
    table.add_row("accuracy", f"{result['accuracy_one']:.3f}", f"{result['accuracy_other']:.3f}",
                  *_difference(result, "accuracy"))
    return table


def show_splits(result: dict, titles: Titles, console: Console | None = None) -> None:
    """Print the table and the sentences of a comparison over several splits."""
    _show(splits_table(result, titles), sentences.splits(result, titles), console)


def show_sample_size(plan: Plan, console: Console | None = None) -> None:
    """Print how many images and seeds show a difference."""
    table = _table("", "validation images", first="seeds")
    for seeds, images in plan.images_needed.items():
        table.add_row(str(seeds), _number(images))
    console = console or Console(highlight=False)
    console.print(f"To show a difference of {plan.difference:g} in accuracy with a probability of 80 %:")
    _show(table, [sentences.sample_size(plan)], console)


def _table(title: str, *headings: str, first: str = "", foldable: tuple[str, ...] = ()) -> Table:
    """Return an empty table; long headings in `foldable` are folded, so that no number is cut at 80 columns."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0),
                  title=Text(title) if title else None, title_justify="left")
    table.add_column(first, no_wrap=True)
    for heading in headings:
        table.add_column(Text(heading), justify="right", no_wrap=heading not in foldable, overflow="fold")
    return table


def _show(table: Table, texts: Iterable[str], console: Console | None) -> None:
    console = console or Console(highlight=False)
    console.print(table)
    console.print()
    _print(texts, console)


def _print(texts: Iterable[str], console: Console) -> None:
    for text in filter(None, texts):
        console.print(Text(text), soft_wrap=not console.is_terminal)


def _score(scores: dict, name: str) -> str:
    text = f"{scores[name]:.3f}" if name != "overconfidence" else signed(scores[name])
    if name == "ece":
        return f"{text} ({scores['ece_by_chance']:.3f})"
    return f"{text} ± {scores[f'{name}_sd']:.3f}" if f"{name}_sd" in scores and scores["seeds"] > 1 else text


def _difference(result: dict, name: str) -> tuple[str, str]:
    """Write a difference and its interval; scores without an interval have neither."""
    if f"{name}_low" not in result:
        return "", ""
    return signed(result[f"{name}_difference"]), interval(result[f"{name}_low"], result[f"{name}_high"])


def _parity(measured: dict, name: str) -> str:
    """Write one number of parity; "" of a step that is not measured, the number of predictions with the classes."""
    if name not in measured:
        return ""
    if name.endswith("classes"):
        return f"{measured[name]:,} of {measured['predictions']:,}"
    return f"{measured[name]:,.0f}" if measured[name] >= 100 else f"{measured[name]:.2g}"


def _share_interval(row: Any) -> str:
    """Write the interval of a share; "exact" where a default changes no bit of any prediction."""
    return "exact" if row.kind == "convention" and row.low == row.high else interval(row.low, row.high)


def _number(images: int) -> str:
    if images < 0:
        return "no number"
    return f"{images:,}" if images < MOST_UNITS else f"more than {images:,}"
