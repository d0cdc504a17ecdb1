"""Write what the measurements say, as ratios, to benchmark/speed/speed.csv: python -m benchmark.speed.summary.

Seconds depend on the machine, ratios much less. Each is taken within a repetition, and the median, the lowest and the
highest of all repetitions are kept. README.md, docs/speed.md and the report show them.
"""

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pandas as pd

from benchmark.speed import files
from benchmark.speed.contestants import FRAMEWORKS, NAMES
from versus.artifacts import metrics
from versus.command import run

SPEED = Path(__file__).parent / "speed.csv"
RATES = ("images_", "steps_")  # measurements of which more is better
ERAS = {"2018": ("keras_2018", "torch"), "today": ("keras_today", "torch")}  # recipes
TARGETS = ("one_seed", "ten_seeds")
DECIMALS = 3

Ratio = tuple[str, str, str, float, float, float, int]
COLUMNS = ["measurement", "one", "other", "ratio", "low", "high", "repeats"]


def by_repeat(table: pd.DataFrame, measurement: str) -> pd.DataFrame:
    """Return one measurement: a row for each repetition, a column for each of whom it was taken."""
    return table[table.measurement == measurement].pivot(index="repeat", columns="of", values="value")


def ratio(measurement: str, one: str, other: str, values: pd.Series) -> Ratio:
    """Summarise the ratios of the repetitions."""
    low, median, high = (round(float(each), DECIMALS) for each in (values.min(), values.median(), values.max()))
    return measurement, one, other, median, low, high, len(values)


def of_frameworks(table: pd.DataFrame) -> Iterator[Ratio]:
    """Say how many times better, faster or smaller, `one` is than `other`, in each measurement."""
    for measurement in table.measurement.unique():
        values = by_repeat(table, measurement)
        for one, other in combinations([name for name in NAMES if name in values], 2):
            better = values[one] / values[other]
            yield ratio(measurement, one, other, better if measurement.startswith(RATES) else 1 / better)


def of_conditions(table: pd.DataFrame) -> Iterator[Ratio]:
    """Say how many times as fast bfloat16 is, and batch norm of the batch compared with onnxruntime's frozen one."""
    frozen = by_repeat(table, "images_frozen")
    for name in FRAMEWORKS:
        for batch_norm in ("frozen", "batch"):
            full, reduced = (by_repeat(table, f"images_{batch_norm}{of}") for of in ("", "_bfloat16"))
            if name in reduced:  # not every processor has it
                yield ratio(f"bfloat16_{batch_norm}", name, "full", reduced[name] / full[name])
        batch = by_repeat(table, "images_batch")[name]
        yield ratio("images_batch", name, "onnxruntime_frozen", batch / frozen["onnxruntime"])


def of_pipeline(table: pd.DataFrame) -> Iterator[Ratio]:
    """Say how many times faster a recipe is in Keras, and the pipeline than both recipes; how long `explain` takes."""
    recipes, pipeline = by_repeat(table, "recipe"), by_repeat(table, "pipeline")
    for era, (keras, torch) in ERAS.items():
        yield ratio(f"recipe_{era}", "keras", "torch", recipes[torch] / recipes[keras])
    for era, both in ERAS.items():
        once = sum(recipes[name] for name in both)
        yield ratio("one_seed", "pipeline", f"recipes_{era}", once / pipeline["one_seed"])
        yield ratio("ten_seeds", "pipeline", f"recipes_{era}", 10 * once / pipeline["ten_seeds"])
    rest = pipeline["ten_seeds"] + pipeline["others"]
    if "explain" in pipeline:
        yield ratio("explain", "explain", "rest", pipeline["explain"] / (rest + pipeline["report"]))
    stages = by_repeat(table, "stage")
    for name in stages.median().sort_values(ascending=False).index:
        yield ratio("stage", name, "all", stages[name] / stages.sum(axis=1))


def main() -> None:
    frameworks = files.read("frameworks")
    rows = [*of_frameworks(frameworks), *of_conditions(frameworks), *of_pipeline(files.read("pipeline"))]
    metrics.write_table(SPEED, pd.DataFrame(rows, columns=COLUMNS))
    print(f"{SPEED.relative_to(Path.cwd())}: {len(rows)} ratios; `make docs` writes them into README.md and docs/")


if __name__ == "__main__":
    run(main)
