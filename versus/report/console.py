"""The findings as tables and sentences in the terminal."""

from collections.abc import Iterable

import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from versus import params
from versus.evaluation.explanation import by_size
from versus.evaluation.power import MOST_IMAGES
from versus.evaluation.sample_size import Plan
from versus.report import sentences
from versus.report.sentences import Pair, Titles, plural

ROWS = {"accuracy": "accuracy", "log_loss": "log loss", "brier": "Brier score", "roc_auc": "ROC AUC",
        "ece": "ECE"}
# of the explanation, what stands below the conventions
LAST_ROWS = {"all conventions": "sum", "the two native runs": "native runs", "not explained": "not explained"}


def comparison_table(one: dict, other: dict, result: dict, titles: Titles) -> Table:
    """Return a table of both competitors' scores (`scores.summary`) and of `comparison.compare`'s result."""
    means = "mean ± sd of seeds; " if result["seeds"] > 1 else ""
    table = _table(f"{plural(result['images'], sentences.image_noun(result))}, {plural(result['seeds'], 'seed')} "
                   f"({means}{titles[1]} minus {titles[0]})", *titles, "difference", "95 % interval", foldable=titles)
    for name, label in ROWS.items():
        if name not in one:
            continue  # what the images do not define: see `scores.summary`
        table.add_row(label, _score(one, name), _score(other, name), f"{other[name] - one[name]:+.3f}",
                      _interval(result, name))
    return table


def show_comparison(one: dict, other: dict, result: dict, titles: Titles, margin: float,
                    console: Console | None = None) -> None:
    """Print the table and the sentence of a comparison."""
    _show(comparison_table(one, other, result, titles), [sentences.comparison(result, titles, margin)], console)


def explanation_table(shares: pd.DataFrame, summary: dict, titles: Titles) -> Table:
    """Return a table of `explanation.explain`'s shares: conventions by size, then their sum and what is left."""
    where = f", {plural(summary['images'], sentences.image_noun(summary))}" if "images" in summary else ""
    table = _table(f"Why they differ: the share of each convention ({titles[1]} minus {titles[0]}{where})",
                   "accuracy", "95 % interval", "log loss", "95 % interval")
    accuracy, log_loss = (shares[shares.metric == metric].set_index("name") for metric in ("accuracy", "log_loss"))
    conventions = by_size(shares, "accuracy").name
    for name in (*conventions, *LAST_ROWS):
        cells = [text for row in (accuracy.loc[name], log_loss.loc[name])
                 for text in (f"{row.share:+.3f}", f"{row.low:+.3f} to {row.high:+.3f}")]
        table.add_row(LAST_ROWS.get(name, name), *cells)
    return table


def show_explanation(shares: pd.DataFrame, summary: dict, parity: dict, pair: Pair, settings: params.Params,
                     console: Console | None = None) -> None:
    """Print the table and the sentences of the explanation; `parity` is metrics/parity.json."""
    titles = (pair[0].title, pair[1].title)
    differences = sentences.other_differences(settings, titles)
    _show(explanation_table(shares, summary, titles),
          [*sentences.explanation(shares, summary, pair, differences), sentences.parity(parity, titles)], console)


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
    table = Table(box=box.SIMPLE_HEAD, title=Text(title) if title else None, title_justify="left")
    table.add_column(first, no_wrap=True)
    for heading in headings:
        table.add_column(Text(heading), justify="right", no_wrap=heading not in foldable, overflow="fold")
    return table


def _show(table: Table, texts: Iterable[str], console: Console | None) -> None:
    console = console or Console(highlight=False)
    console.print(table)
    for text in filter(None, texts):
        console.print(Text(text), soft_wrap=not console.is_terminal)


def _score(scores: dict, name: str) -> str:
    text = f"{scores[name]:.3f}"
    return f"{text} ± {scores[f'{name}_sd']:.3f}" if f"{name}_sd" in scores and scores["seeds"] > 1 else text


def _interval(result: dict, name: str) -> str:
    if f"{name}_low" not in result:
        return ""
    return f"{result[f'{name}_low']:+.3f} to {result[f'{name}_high']:+.3f}"


def _number(images: int) -> str:
    if images < 0:
        return "no number"
    return f"{images:,}" if images < MOST_IMAGES else f"more than {images:,}"
