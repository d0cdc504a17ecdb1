"""Compare the two frameworks over the same images and seeds, and print the result."""

from versus import params
from versus.evaluation import scores
from versus.report import console as table
from versus.command import run
from versus.evaluation.comparison import compare
from versus.artifacts.metrics import read_json, write_json


def main():
    settings = params.load()
    keras = scores.read_predictions("data/predictions/keras.csv")
    torch = scores.read_predictions("data/predictions/torch.csv")
    scores.check_pair(keras, torch)
    result = compare(keras.probabilities, torch.probabilities, keras.labels, settings.compare)
    write_json("metrics/compare.json", result)
    table.show(read_json("metrics/keras.json"), read_json("metrics/torch.json"), result,
               read_json("metrics/parity.json"), settings.compare)


if __name__ == "__main__":
    run(main)
