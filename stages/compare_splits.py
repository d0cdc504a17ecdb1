"""Say what the split contributes to the difference, if asked for: python -m stages.compare_splits keras torch."""

import sys

from versus import params
from versus.artifacts import metrics, splits
from versus.command import run
from versus.evaluation.splits import compare_splits
from versus.report import results


def main(first, second):
    one, other = (splits.read(f"data/splits/{name}.safetensors") for name in (first, second))
    result = {"splits": 1} if one is None or other is None else compare_splits(one, other, params.load().compare)
    metrics.write("metrics/details/splits.json", {"one": first, "other": second} | result)
    results.show_splits()


if __name__ == "__main__":
    run(main, *sys.argv[1:])
