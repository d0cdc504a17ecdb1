"""Does the pipeline give what a recipe gives? python -m benchmark.recipes.compare PREDICTIONS.csv RECIPE.json...

Exit status: 0 if accuracy and log loss are equivalent and the spreads between runs do not differ; 1 if the pipeline
strays from the recipe in any of them; 2 if there are too few runs to decide.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from versus import params
from versus.artifacts import predictions_csv
from versus.artifacts.predictions import Predictions
from versus.command import run
from versus.evaluation.comparison import EQUIVALENT
from versus.evaluation.replication import STRAYS, Replication, replicate

UNDECIDED = "Not decided: nothing shows a difference, but the intervals are wider than the margins; add runs."
NAMES = {"accuracy": "accuracy", "log_loss": "log loss"}


def read_runs(paths: list[Path]) -> tuple[str, Predictions]:
    """Read the runs of one recipe, a JSON file each, as predictions; return the recipe's name with them."""
    runs = [json.loads(path.read_text("utf-8")) for path in paths]
    names = {one["recipe"] for one in runs}
    files = [sorted(one["probabilities"], key=lambda file: (file.partition("/")[0], file)) for one in runs]
    if len(names) > 1 or any(each != files[0] for each in files):
        raise ValueError(f"got runs of the recipes {', '.join(sorted(names))}; expected one recipe on one folder")
    classes = tuple(runs[0]["classes"])
    labels = np.array([classes.index(file.partition("/")[0]) for file in files[0]])
    probabilities = np.array([[one["probabilities"][file] for file in files[0]] for one in runs], float)
    return names.pop(), Predictions(tuple(one["seed"] for one in runs), tuple(files[0]), classes, labels,
                                    probabilities / probabilities.sum(axis=2, keepdims=True))


def read_pipeline(paths: list[Path]) -> Predictions:
    """Read predictions of the pipeline, such as with other views, as those of one run with all their seeds."""
    runs = [predictions_csv.read(path) for path in paths]
    if any((each.files, each.class_names) != (runs[0].files, runs[0].class_names) for each in runs):
        raise ValueError(f"got predictions of different images in {', '.join(map(str, paths))}; expected the same ones")
    return runs[0].with_probabilities(np.concatenate([each.probabilities for each in runs]))


def sentences(name: str, result: Replication, margin: float) -> list[str]:
    """Say what was found of one metric."""
    low, high = result.difference.interval()
    spread = result.spread
    compared = (f"the pipeline's is {spread.ratio:.2f} times the recipe's ({spread.low:.2f} to {spread.high:.2f})"
                f"{': strays' if spread.differs else ''}" if np.isfinite(spread.ratio) else
                "needs four runs of each to be compared")
    return [
        f"{name}: recipe {result.one.mean():.3f} ± {result.one.std(ddof=1):.3f}, pipeline {result.other.mean():.3f} ± "
        f"{result.other.std(ddof=1):.3f}, pipeline minus recipe {result.difference.mean:+.3f} "
        f"({low:+.3f} to {high:+.3f}): {result.verdict} (margin {margin:g})",
        f"  spread between runs: {compared}"]


def main(ours: Path, recipes: list[Path], margin: float, log_loss_margin: float, more: Sequence[Path] = ()) -> int:
    """Print the comparison of the pipeline's predictions with the runs of one recipe; return the exit status."""
    name, runs = read_runs(recipes)
    pipeline = read_pipeline([ours, *more])
    margins = {"accuracy": margin, "log_loss": log_loss_margin}
    replications = replicate(runs, pipeline, margins, params.Compare(margin=margin, bootstrap=10000, seed=0))
    files = ", ".join(map(str, [ours, *more]))
    print(f"{name}, {len(runs.seeds)} runs, and the pipeline ({files}), {len(pipeline.seeds)} runs; "
          f"{len(runs.files)} validation images; mean ± sd of runs, 95 % intervals")
    for metric, result in replications.items():
        print(*sentences(NAMES[metric], result, margins[metric]), sep="\n")
    if any(one.verdict == STRAYS or one.spread.differs for one in replications.values()):
        print("The pipeline strays from what the recipe does.")
        return 1
    if any(one.verdict != EQUIVALENT for one in replications.values()):
        print(UNDECIDED)
        return 2
    print("The pipeline does what the recipe does.")
    return 0


def add_margins(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--margin", type=float, default=0.03, help="of accuracy, share of the images (default 0.03)")
    parser.add_argument("--log-loss-margin", type=float, default=0.05, help="of log loss (default 0.05)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("ours", type=Path, metavar="PREDICTIONS.csv", help="the pipeline's, of the recipe's era")
    parser.add_argument("recipes", type=Path, nargs="+", metavar="RECIPE.json", help="runs of one recipe, a file each")
    parser.add_argument("--more", type=Path, nargs="+", default=[], metavar="PREDICTIONS.csv",
                        help="more runs of the pipeline, such as with another extract.seed, counted with the first")
    add_margins(parser)
    options = parser.parse_args()
    run(lambda: sys.exit(main(**vars(options))))
