"""Say what each convention contributes to the difference of two competitors: python -m stages.explain keras torch."""

import sys

from versus import params
from versus.artifacts import combinations, metrics, predictions_csv
from versus.artifacts.predictions import pair
from versus.command import run
from versus.evaluation import explanation
from versus.frameworks import competitor
from versus.report import console


def main(first, second):
    settings, one, other = params.load(), competitor(first), competitor(second)
    titles = (one.title, other.title)
    natives = pair(*(predictions_csv.read(f"data/predictions/{name}.csv") for name in (first, second)), titles)
    trained = combinations.read("data/combinations.safetensors")
    predictions = trained.of_pair((one.framework, other.framework), natives[0])
    same_seeds = [native.first_seeds(len(predictions[0].seeds)) for native in natives]  # so that the shares add up
    shares = explanation.explain(trained.factors, predictions, *same_seeds, settings.compare)
    about = {"part": natives[0].part, "images": len(natives[0].files)}
    summary = about | explanation.summary(shares, *natives)
    metrics.write("metrics/explain.json", summary)
    metrics.write_table("metrics/explain.csv", shares)
    metrics.write_table("metrics/plots/waterfall.csv", explanation.waterfall(shares, *same_seeds, titles))
    console.show_explanation(shares, summary, metrics.read("metrics/parity.json"), (one, other), settings)


if __name__ == "__main__":
    run(main, *sys.argv[1:])
