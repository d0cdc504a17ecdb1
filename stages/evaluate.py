"""Score both frameworks' predictions, and write what their plots show."""

from pathlib import Path

from versus.evaluation import scores
from versus.command import run
from versus.artifacts.metrics import write_json
from versus.params import FRAMEWORKS


def main():
    plots = Path("metrics/plots")
    plots.mkdir(parents=True, exist_ok=True)
    for framework in FRAMEWORKS:
        found = scores.read_predictions(f"data/predictions/{framework}.csv")
        write_json(f"metrics/{framework}.json", scores.summary(found.probabilities, found.labels, found.class_names))
        data = {
            "confusion": scores.confusion(found.probabilities, found.labels, found.class_names),
            "roc": scores.roc_curve(found.probabilities, found.labels),
            "seeds": scores.seed_accuracies(found.probabilities, found.labels),
            "reliability": scores.reliability(found.probabilities, found.labels),
        }
        for name, rows in data.items():
            rows.to_csv(plots / f"{name}_{framework}.csv", index=False)


if __name__ == "__main__":
    run(main)
