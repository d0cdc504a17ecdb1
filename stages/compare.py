"""Compare two competitors on the same images and seeds, and print the result: python -m stages.compare keras torch."""

import sys

from versus import params
from versus.artifacts import metrics, predictions_csv
from versus.artifacts.predictions import pair
from versus.command import run
from versus.evaluation.comparison import compare
from versus.frameworks import competitor
from versus.report import console, sentences


def main(first, second):
    everything, names = params.load(), (first, second)
    settings = everything.compare
    titles = tuple(competitor(name).title for name in names)
    one, other = pair(*(predictions_csv.read(f"data/predictions/{name}.csv") for name in names), titles)
    result = {"part": one.part} | compare(one, other, settings)
    console.show_comparison(*(metrics.read(f"metrics/{name}.json") for name in names), result, titles, settings.margin,
                            sentences.SCOPE_OF_RUN)
    console.show_notes([sentences.era(everything.conventions),
                        sentences.enlargement(metrics.read("metrics/split.json")["median_side"],
                                              everything.model.image_size)])
    metrics.write("metrics/compare.json", result | {
        "verdict": sentences.verdict(result, titles, settings.margin),
        "better_than_majority": sentences.named(result["better_than_majority"], titles)})


if __name__ == "__main__":
    run(main, *sys.argv[1:])
