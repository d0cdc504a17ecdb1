"""Say what the split contributes to the difference, if asked for: python -m stages.compare_splits keras torch."""

import sys

from versus import params
from versus.artifacts import metrics, splits
from versus.command import run
from versus.report import results


def main(first, second):
    one, other = (splits.read(f"data/splits/{name}.safetensors") for name in (first, second))
    result = {"splits": 1}
    if one and other:
        from versus.evaluation.splits import compare_splits  # scipy, which takes longer to import than this stage runs
        result = compare_splits(one, other, params.load().compare)
    metrics.write("metrics/details/splits.json", {"one": first, "other": second} | result)
    results.show_splits()


if __name__ == "__main__":
    run(main, *sys.argv[1:])
