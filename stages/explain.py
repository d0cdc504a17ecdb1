"""Train every combination of the conventions in which the frameworks differ; say what each one contributes.

In Keras, which is the faster here. It stands for both: with equal conventions the two compute the same numbers
(metrics/parity.json), and what the combinations miss of the native runs' difference is shown as 'not explained'.
"""

from functools import cache
from pathlib import Path

from versus.frameworks.keras import backbone as backbone_keras
from versus.artifacts import feature_cache as banks
from versus.images import dataset
from versus.evaluation import explanation
from versus.artifacts import features
from versus.frameworks.keras import features as features_keras
from versus import params
from versus.frameworks.keras import runtime as runtime_keras
from versus.evaluation import scores
from versus.report import console as table
from versus.frameworks import training
from versus.recipe import weights
from versus.command import run
from versus.artifacts.metrics import write_json
from versus.frameworks.keras.head import Trainer

SOURCES = [Path("versus") / f"{name}.py" for name in
           ("frameworks/keras/backbone", "recipe/draws", "artifacts/features", "frameworks/keras/features",
            "recipe/pixels", "frameworks/keras/runtime", "recipe/weights")]


def main():
    chosen = params.load()
    runtime_keras.start(chosen.compute, chosen.train.precision)
    explained = explanation.of_combinations(chosen)
    train, validation = (dataset.read("data/split", part) for part in dataset.PARTS)
    combinations = explanation.combinations(chosen.conventions)
    jpeg = banks.any_jpeg(train.files + validation.files)
    names = [banks.name(each, jpeg) for each in combinations]
    origin = banks.fingerprint(Path("data/raw.csv"), Path("data/split.csv"), Path("models/backbone.safetensors"),
                               *SOURCES, explained.extract, chosen.model, chosen.train.precision, chosen.compute)
    kept = combinations[0] if chosen.explain.views == chosen.extract.views else None  # the native run of Keras made it
    banks.prepare("data/banks", dict(zip(names[::-1], combinations[::-1])), origin,
                  lambda each, label: features.read("data/features/keras") if each == kept
                  else extract(explained, train.files, validation.files, each, label))
    found = training.fit_combinations(Trainer, explained, combinations, names,
                                      lambda name: banks.read("data/banks", name), train)
    natives = [scores.read_predictions(f"data/predictions/{framework}.csv") for framework in params.FRAMEWORKS]
    order = [validation.names.index(name) for name in natives[0].files]  # predictions are sorted by their names
    write(chosen, found[:, :, order], natives)


@cache  # a compiled backbone serves all banks of its kind
def build(model, batch_norm):
    backbone = backbone_keras.build(model, weights.read("models/backbone.safetensors"), batch_norm)
    return backbone, backbone_keras.statistics(backbone)


def extract(chosen, train, validation, followed, label):
    backbone, statistics = build(chosen.model, followed.batch_norm)
    backbone_keras.move(backbone, statistics)  # the last bank may have moved them
    return features_keras.extract_files(backbone, train, validation, chosen, followed, label)


def write(chosen, found, natives):
    labels, probabilities = natives[0].labels, [each.probabilities for each in natives]
    first = [each[:found.shape[1]] for each in probabilities]  # of both kinds of runs, so that shares add up
    shares = explanation.explain(explanation.factors(chosen.conventions), found, first, labels, chosen.compare)
    summary = explanation.summary(shares, probabilities, labels)
    write_json("metrics/explain.json", summary)
    shares.to_csv("metrics/explain.csv", index=False)
    Path("metrics/plots").mkdir(exist_ok=True)
    explanation.waterfall(shares, first, labels).to_csv("metrics/plots/waterfall.csv", index=False)
    table.show_explanation(shares, summary, explanation.left_out(chosen))


if __name__ == "__main__":
    run(main)
