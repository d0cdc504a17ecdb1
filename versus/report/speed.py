"""Which framework is faster, in words, a table and a plot: the ratios that `make benchmark` measured.

Ratios alone: seconds are of one machine. The file is in git, and no run of the pipeline changes it.
"""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from versus.artifacts import metrics
from versus.frameworks import COMPETITORS
from versus.report.figures import Plot

FILE = Path("benchmark/speed/speed.csv")
GROWTH = Path("benchmark/speed/results/growth.csv")
TEXT = ("measurement", "one", "other")
PAIR = ("keras", "torch")
# what was measured, in words; of each the ratio says how many times better, faster or smaller, Keras is
WORDS = {
    "images_frozen": "images to features, batch norm frozen",
    "images_batch": "images to features, batch norm of the batch",
    "images_frozen_bfloat16": "images to features in bfloat16, batch norm frozen",
    "images_batch_bfloat16": "images to features in bfloat16, batch norm of the batch",
    "steps_head": "training steps of the head",
    "steps_whole": "training steps with images and backbone",
    "image_warm": "one image, by a program that runs",
    "image_cold": "one image, start of the program included",
    "start_import": "start, until the framework is imported",
    "start_ready": "start, until the backbone is built",
    "memory_frozen": "peak memory, batch norm frozen",
    "memory_batch": "peak memory, batch norm of the batch",
    "installed": "installed packages",
    "installed_without_gpus": "installed packages, without those for GPUs",
    "classifier": "saved classifier",
    "recipe_today": "one run of the recipe as each teaches it today",
    "recipe_2018": "one run of the recipe of 2018",
}
MAIN = ("images_frozen", "images_batch", "steps_head", "image_cold", "memory_frozen", "recipe_today")  # in README.md
MARGIN = 1.05  # ratios closer to 1 are about equal
DRAWN = tuple(name for name in WORDS if not name.startswith(("installed", "classifier")))
TITLE = "How many times better, faster or smaller, Keras is than PyTorch (lines: lowest to highest repetition)"
SPEED = Plot("speed", "", TITLE, "ratio", "words", "Keras compared with PyTorch", "")


class Table(NamedTuple):
    """Headings and rows of text."""

    headings: list[str]
    rows: list[list[str]]


def read() -> pd.DataFrame:
    """Read the ratios, in the order in which they were written; no rows if nothing was measured."""
    columns = [*TEXT, "ratio", "low", "high", "repeats"]
    return metrics.read_table(FILE, TEXT) if FILE.is_file() else pd.DataFrame(columns=columns)


def between(rows: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    """Return the ratios of two contestants, a row for each measurement, in the order of WORDS."""
    own = rows[(rows.one == one) & (rows.other == other)].set_index("measurement")
    return own.loc[[name for name in WORDS if name in own.index]]


def better(row: pd.Series) -> str:
    """Say who of Keras and PyTorch is better: in every repetition, and by so much that it matters."""
    titles = [COMPETITORS[name].title for name in PAIR]
    if row.low > 1 and row.ratio >= MARGIN:
        return f"{titles[0]} better"
    if row.high < 1 and row.ratio <= 1 / MARGIN:
        return f"{titles[1]} better"
    return "about equal"


def table(rows: pd.DataFrame) -> Table:
    """Compare Keras with PyTorch in all measurements."""
    own = between(rows, *PAIR)
    return Table(["Keras compared with PyTorch", "times as fast, or as small", ""],
                 [[WORDS[name], text(row), better(row)] for name, row in own.iterrows()])


def short(rows: pd.DataFrame) -> Table:
    """Compare Keras with PyTorch in the measurements of MAIN, a column each."""
    own = between(rows, *PAIR)
    names = [name for name in MAIN if name in own.index]
    return Table([WORDS[name] for name in names], [[text(own.loc[name]) for name in names]])


def against_onnxruntime(rows: pd.DataFrame) -> Table:
    """Compare each framework with onnxruntime."""
    both = [between(rows, name, "onnxruntime") for name in PAIR]
    titles = [COMPETITORS[name].title for name in PAIR]
    batch = [between(rows, name, "onnxruntime_frozen") for name in PAIR]
    table = [[WORDS[name] + more, *(text(of.loc[name]) for of in own)]
             for own, more in ((both, ""), (batch, ", against frozen")) for name in own[0].index]
    return Table(["compared with onnxruntime, times as fast, or as small", *titles], table)


def bfloat16(rows: pd.DataFrame) -> Table:
    """Compare bfloat16 with full precision, in each framework."""
    own = {(row.measurement, row.one): row for _, row in rows.iterrows() if row.other == "full"}
    return Table(["bfloat16 compared with float32, times as fast", *(COMPETITORS[name].title for name in PAIR)],
                 [[WORDS[f"images_{kind}"], *(text(own[f"bfloat16_{kind}", name]) for name in PAIR)]
                  for kind in ("frozen", "batch") if (f"bfloat16_{kind}", PAIR[0]) in own])


def pipeline(rows: pd.DataFrame) -> Table:
    """Compare the pipeline with the recipes, and `explain` with the rest of a run."""
    words = {("one_seed", "recipes_2018"): "one seed of both, against both recipes of 2018",
             ("one_seed", "recipes_today"): "one seed of both, against both recipes of today",
             ("ten_seeds", "recipes_2018"): "ten seeds of both, against ten runs of both recipes of 2018",
             ("ten_seeds", "recipes_today"): "ten seeds of both, against ten runs of both recipes of today"}
    own = {(row.measurement, row.other): row for _, row in rows.iterrows()}
    cells = [[what, f"{text(own[key])} times as fast"] for key, what in words.items()]
    if ("explain", "rest") in own:
        cells.append(["`explain`, against all other stages with ten seeds",
                      f"{text(own['explain', 'rest'])} times as long"])
    return Table(["the pipeline", "median (lowest to highest)"], cells)


def stages(rows: pd.DataFrame) -> Table:
    """Say which share of a run with ten seeds each stage takes."""
    own = rows[rows.measurement == "stage"]
    return Table(["stage", "share of the run"], [[f"`{row.one}`", f"{100 * row.ratio:.1f} %"]
                                                 for row in own.itertuples()])


def growth(rows: pd.DataFrame) -> Table:
    """Say how many times as long each part takes as with the smallest number, and how much memory; MiB."""
    table = []
    for (varied, part), own in rows.groupby(["varied", "part"], sort=False):
        for row in own.itertuples():
            table.append([varied, f"{getattr(row, varied):,}", part, f"{row.seconds / own.seconds.iloc[0]:.1f}",
                          f"{row.memory:,.0f}", f"{row.written:,.1f}" if row.written else ""])
    return Table(["of", "number", "part", "times as long as the first", "peak memory, MiB", "written, MiB"], table)


def text(row: pd.Series) -> str:
    """Write a ratio, with the lowest and highest of its repetitions where they differ."""
    if row.low == row.high:
        return f"{row.ratio:.2f}"
    return f"{row.ratio:.2f} ({row.low:.2f} to {row.high:.2f})"


def drawn(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the plot."""
    own = between(rows, *PAIR)
    own = own.loc[[name for name in DRAWN if name in own.index]]
    return own.assign(words=[WORDS[name] for name in own.index], label=[f"{value:.2f}" for value in own.ratio],
                      better=[better(row) for _, row in own.iterrows()]).reset_index()


def answer(rows: pd.DataFrame) -> str:
    """Say in two sentences which framework is faster: as each teaches it, and at equal work."""
    own = between(rows, *PAIR)
    frozen, batch = (_clause(own.loc[name], "computes features") for name in ("images_frozen", "images_batch"))
    who = f"{frozen.split()[0]} computes features "
    return (f"{sentence(own.loc['recipe_today'], 'runs the recipe as it is taught today')} With the same pixels, "
            f"weights and threads {frozen} while batch norm is frozen, and {batch.removeprefix(who)} where it uses the "
            "statistics of each batch.")


def sentences(rows: pd.DataFrame) -> list[str]:
    """Say which framework is faster, the answer first."""
    own = between(rows, *PAIR)
    return [answer(rows), sentence(own.loc["steps_head"], "trains the head"),
            sentence(own.loc["image_cold"], "answers for one image, start included,")]


def sentence(row: pd.Series, what: str) -> str:
    """Say who does `what` faster."""
    return f"{_clause(row, what)}."


def _clause(row: pd.Series, what: str) -> str:
    titles, verdict = [COMPETITORS[name].title for name in PAIR], better(row)
    if verdict == f"{titles[1]} better":
        return f"{titles[1]} {what} {text(inverse(row))} times as fast"
    return f"{titles[0]} {what} {text(row)} times as fast" + ("" if verdict == f"{titles[0]} better" else
                                                             " (about equal)")


def inverse(row: pd.Series) -> pd.Series:
    """Return the ratio of the other to the one."""
    return pd.Series({"ratio": 1 / row.ratio, "low": 1 / row.high, "high": 1 / row.low})
