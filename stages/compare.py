"""Compare two competitors on the same images and seeds, and print the result: python -m stages.compare keras torch."""

import sys

from versus import params
from versus.artifacts import metrics, predictions_csv
from versus.artifacts.predictions import pair
from versus.command import run
from versus.evaluation.comparison import compare
from versus.frameworks import competitor
from versus.report import answer, results


def main(first, second):
    settings, names = params.load(), (first, second)
    titles = tuple(competitor(name).title for name in names)
    one, other = pair(*(predictions_csv.read(f"data/predictions/{name}.csv") for name in names), titles)
    about = {"one": first, "other": second, "part": one.part, "margin": settings.compare.margin,
             "era": settings.conventions.era, "image_size": settings.model.image_size}
    result = about | compare(one, other, settings.compare)
    metrics.write("metrics/details/compare.json", result)
    answer.write(answer.of_comparison(results.competitors(result), *map(results.read, names), result))
    results.show_comparison()


if __name__ == "__main__":
    run(main, *sys.argv[1:])
