"""The plots of a run as SVG, drawn without a browser from the same templates and data as `dvc plots show`."""

import base64
import json
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from versus.artifacts import metrics

TEMPLATES, DATA = Path(__file__).parents[2] / ".dvc/plots", Path("metrics/plots")
# the first of these fonts that the reader's machine has sets the text, which may be wider than it was when drawn
FONTS = "Arial, Helvetica, Liberation Sans, sans-serif"
PADDING = {"left": 5, "top": 5, "right": 30, "bottom": 5}
TEXT = ("actual", "predicted", "competitor", "scope", "step", "kind")  # columns: a class may be called 007 or NA


class Figure(NamedTuple):
    """A plot: its title, what a screen reader says of it, and the SVG as a data URI."""

    title: str
    alt: str
    address: str


class Plot(NamedTuple):
    """Which template draws which columns of which file."""

    template: str
    file: str
    title: str
    x: str
    y: str
    x_label: str
    y_label: str


PLOTS = {
    "accuracy": Plot("curves", "curves", "Validation accuracy, mean of the seeds ± standard deviation", "epoch",
                     "validation_accuracy", "epoch", "accuracy"),
    "loss": Plot("curves", "curves", "Validation loss, mean of the seeds ± standard deviation", "epoch",
                 "validation_loss", "epoch", "log loss"),
    "training loss": Plot("curves", "curves", "Training loss, mean of the seeds ± standard deviation", "epoch",
                          "train_loss", "epoch", "cross-entropy"),
    "seeds": Plot("seeds", "seeds", "Accuracy of each seed (dashed: their mean)", "seed", "accuracy", "seed",
                  "accuracy"),
    "reliability": Plot("reliability", "reliability", "Reliability, all seeds (dashed: perfectly calibrated)",
                        "confidence", "accuracy", "mean confidence", "accuracy"),
    "roc": Plot("roc", "roc", "ROC, mean of the seeds (dashed: by chance)", "false_positive_rate",
                "true_positive_rate", "false positive rate", "true positive rate"),
}
CONFUSION = Plot("confusion", "confusion", "Confusion, images of each class by the saved classifier", "actual",
                 "predicted", "predicted", "actual")
WATERFALL = Plot("waterfall", "waterfall", "The effect of each convention (with 95 % intervals)", "step", "end", "",
                 "accuracy")


def figure(plot: Plot, rows: pd.DataFrame, alt: str) -> Figure | None:
    """Draw `rows` with the template of `plot`; None if there are none, as of a curve that is not defined."""
    if rows.empty:
        return None
    drawn = svg(plot, rows.assign(rev="this run"))
    return Figure(plot.title, alt, "data:image/svg+xml;base64," + base64.b64encode(drawn.encode()).decode())


def svg(plot: Plot, rows: pd.DataFrame, **more: str) -> str:
    """Draw `rows`, `rev` among their columns, with the template of `plot`; `more` are further keys of Vega-Lite's."""
    import vl_convert  # takes a moment to load
    drawing = filled(plot, rows.to_dict("records")) | {"padding": PADDING, "config": {"font": FONTS}} | more
    return vl_convert.vegalite_to_svg(json.dumps(drawing))


def filled(plot: Plot, rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the Vega-Lite drawing of `rows`, as DVC makes it, without a title: pages have it as text of their own."""
    values = {"<DVC_METRIC_DATA>": rows, "<DVC_METRIC_X>": plot.x, "<DVC_METRIC_Y>": plot.y,
              "<DVC_METRIC_X_LABEL>": plot.x_label, "<DVC_METRIC_Y_LABEL>": plot.y_label}
    template = metrics.read(TEMPLATES / f"{plot.template}.json")
    del template["title"]
    return _fill(template, values)


def _fill(template: Any, values: dict[str, Any]) -> Any:
    """Put `values` where their names stand in a template, alone or inside a longer text."""
    if isinstance(template, dict):
        return {key: _fill(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [_fill(value, values) for value in template]
    if not isinstance(template, str):
        return template
    if template in values:
        return values[template]
    for name, value in values.items():
        template = template.replace(name, value) if isinstance(value, str) else template
    return template


def read(competitor: str, plot: Plot) -> pd.DataFrame:
    """Read one competitor's data of a plot; no rows if the run has none."""
    path = DATA / competitor / f"{plot.file}.csv"
    return metrics.read_table(path, TEXT) if path.is_file() else pd.DataFrame()
