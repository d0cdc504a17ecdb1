"""The few numbers that answer the question: what dvc.yaml registers as metrics, at most twenty of them.

A file is a row of `dvc metrics show`, a key a column, and in `dvc exp show` a key that several files have gets their
paths before it. So both are narrow if one file, accuracy.json, holds the comparison under names of its own, and every
other one a single `value`. All else that is measured is in metrics/details.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from versus.artifacts import metrics
from versus.artifacts.metrics import Metrics
from versus.evaluation.findings import by_size
from versus.report import sentences
from versus.report.sentences import Pair

if TYPE_CHECKING:
    import pandas as pd

SCORES = {"log_loss": "log_loss", "roc_auc": "roc_auc", "calibration": "ece"}  # file: key of `scores.summary`


def of_comparison(pair: Pair, one: dict, other: dict, result: dict) -> dict[str, Metrics]:
    """Return the files of a comparison, by name: see `sentences.comparison` for `one`, `other` and `result`.

    low and high: the 95 % interval of the difference in accuracy, p: its p-value. calibration: the expected calibration
    error. The file of a score that the images do not define has no value.
    """
    titles = pair[0].title, pair[1].title
    accuracy = {each.name: scores["accuracy"] for each, scores in zip(pair, (one, other))}
    accuracy |= {"difference": result["accuracy_difference"], "low": result["accuracy_low"],
                 "high": result["accuracy_high"], "p": result["p_value"],
                 "verdict": sentences.short_verdict(result, titles)}
    scores_of_each = {f"{each.name}/{name}": value(scores[key]) if key in scores else {}
                      for each, scores in zip(pair, (one, other)) for name, key in SCORES.items()}
    return {"accuracy": accuracy} | scores_of_each | {name: value(result[name]) for name in ("part", "images", "units")}


def of_explanation(shares: pd.DataFrame, complete: str) -> dict[str, Metrics]:
    """Return the files of an explanation: the largest significant share of the accuracy, and whose; or "none", 0."""
    rows = by_size(shares, "accuracy")
    (cause, share), *_ = *zip(rows.name[rows.significant], rows.share[rows.significant]), ("none", 0.0)
    return {"cause": value(cause), "share": value(float(share)), "complete": value(complete)}


def value(content: Any) -> Metrics:
    """Return the content of a file that holds one value."""
    return {"value": content}


def write(files: dict[str, Metrics]) -> None:
    """Write each file into the folder metrics."""
    for name, values in files.items():
        metrics.write_answer(f"metrics/{name}.json", values)
