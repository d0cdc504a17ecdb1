"""Score the predictions of all competitors, and write what their plots show: python -m stages.evaluate keras torch."""

import sys

from versus import params
from versus.artifacts import heads, metrics, model_info, predictions_csv
from versus.command import run
from versus.evaluation import ensemble, scores
from versus.evaluation.plots import plots
from versus.frameworks import competitor


def main(*names):
    settings = params.load()
    for name in names:
        predictions = predictions_csv.read(f"data/predictions/{name}.csv")
        record = heads.read_record(f"data/training/{name}")
        summary = scores.summary(predictions, settings.compare)
        if settings.model.deploy == "mean":
            summary |= ensemble.summary(predictions, settings.compare)
        about = {"part": predictions.part, "device": model_info.read(f"models/{name}").device}
        metrics.write(f"metrics/details/{name}.json", about | summary)
        for plot, rows in plots(predictions, record, settings.model.deploy, competitor(name).title).items():
            metrics.write_table(f"metrics/plots/{name}/{plot}.csv", rows)


if __name__ == "__main__":
    run(main, *sys.argv[1:])
