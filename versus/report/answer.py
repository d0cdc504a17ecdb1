"""The few numbers that answer the question: what dvc.yaml registers as metrics, at most twenty of them.

Each file is a row of `dvc metrics show`, each key a column. That fits 120 columns only if files share their keys: keras
and torch, name and value. All else that is measured is in metrics/details.
"""

import pandas as pd

from versus.artifacts import metrics
from versus.artifacts.metrics import Metrics
from versus.evaluation.explanation import by_size
from versus.frameworks import competitor
from versus.report import sentences

SCORES = {"accuracy": "accuracy", "log_loss": "log_loss", "roc_auc": "roc_auc", "calibration": "ece"}
NONE = "none"


def of_comparison(names: tuple[str, str], one: dict, other: dict, result: dict) -> dict[str, Metrics]:
    """Return the files of a comparison, by name: see `sentences.comparison` for `one`, `other` and `result`.

    calibration: the expected calibration error; low and high: the 95 % interval of the difference, p: its p-value. A
    score that the images do not define has no keys.
    """
    titles = competitor(names[0]).title, competitor(names[1]).title
    files: dict[str, dict] = {name: {who: scores[score] for who, scores in zip(names, (one, other)) if score in scores}
                              for name, score in SCORES.items()}
    files["accuracy"] |= {"difference": result["accuracy_difference"], "low": result["accuracy_low"],
                          "high": result["accuracy_high"], "p": result["p_value"],
                          "verdict": sentences.short_verdict(result, titles)}
    return files | {"images": {"name": result["part"], "value": result["images"]},
                    "units": {"value": result["units"]}}


def of_explanation(shares: pd.DataFrame, complete: str) -> dict[str, Metrics]:
    """Return the files of an explanation: the convention with the largest significant share of the accuracy."""
    rows = by_size(shares, "accuracy")
    rows = rows[rows.significant]
    cause = {"name": rows.name.iloc[0], "value": float(rows.share.iloc[0])} if len(rows) else {"name": NONE,
                                                                                               "value": 0.0}
    return {"cause": cause, "complete": {"name": complete}}


def write(files: dict[str, Metrics]) -> None:
    """Write each file into the folder metrics."""
    for name, values in files.items():
        metrics.write_answer(f"metrics/{name}.json", values)
