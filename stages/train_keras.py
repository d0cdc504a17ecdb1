"""Train the heads of all seeds from the kept features in Keras; save the first as a whole classifier."""

from pathlib import Path

from versus.artifacts import model_info as card
from versus.frameworks.keras import classifier as classifier_keras
from versus.recipe import conventions
from versus.images import dataset
from versus.artifacts import features
from versus import params
from versus.frameworks.keras import runtime as runtime_keras
from versus.frameworks import training
from versus.recipe import weights
from versus.command import run
from versus.frameworks.keras.head import Trainer


def main():
    chosen = params.load()
    runtime_keras.start(chosen.compute, chosen.train.precision)
    followed = conventions.resolve(chosen.conventions, "keras")
    kept = features.read("data/features/keras")
    train, validation = (dataset.read("data/split", part) for part in dataset.PARTS)
    widths = [kept.train.shape[2], chosen.model.hidden, len(train.classes)]
    trainer = Trainer(widths, chosen.train.learning_rate, followed.adam)
    trained = training.fit_seeds(trainer, chosen, followed, kept, train.labels, "heads in Keras")

    folder = Path("models/keras")
    folder.mkdir(parents=True, exist_ok=True)
    classifier = classifier_keras.assemble(chosen.model, weights.read("models/backbone.safetensors"),
                                            kept.statistics_after(chosen.train.epochs), trained[0].weights, widths)
    classifier_keras.save(classifier, folder)
    card.write(card.Card(train.classes, chosen.model.backbone, chosen.model.image_size, chosen.train.precision,
                         followed.decode, followed.resize), folder)
    training.save_heads(trained, folder / "heads.safetensors")
    training.save_record(trained, "data/training/keras.safetensors")
    training.save_curves(trained, validation.labels, "metrics/curves/keras.csv")


if __name__ == "__main__":
    run(main)
