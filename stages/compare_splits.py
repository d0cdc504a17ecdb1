"""Say what the split contributes to the difference, if asked for: python -m stages.compare_splits keras torch."""

import sys

from versus import params
from versus.artifacts import metrics, splits
from versus.command import run
from versus.evaluation.splits import compare_splits
from versus.frameworks import competitor
from versus.report import console


def main(first, second):
    settings, titles = params.load().compare, tuple(competitor(name).title for name in (first, second))
    one, other = (splits.read(f"data/splits/{name}.safetensors") for name in (first, second))
    if one is None or other is None:
        metrics.write("metrics/splits.json", {"splits": 1})
        print("One split: compare.splits repeats it")
        return
    result = compare_splits(one, other, settings)
    metrics.write("metrics/splits.json", result)
    console.show_splits(result, titles)


if __name__ == "__main__":
    run(main, *sys.argv[1:])
