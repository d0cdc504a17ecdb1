"""Train the heads of all seeds from the kept features in PyTorch; save the first as a whole classifier."""

from pathlib import Path

from versus.artifacts import model_info as card
from versus.frameworks.torch import classifier as classifier_torch
from versus.recipe import conventions
from versus.images import dataset
from versus.artifacts import features
from versus import params
from versus.frameworks.torch import runtime as runtime_torch
from versus.frameworks import training
from versus.recipe import weights
from versus.command import run
from versus.frameworks.torch.head import Trainer


def main():
    chosen = params.load()
    runtime_torch.start(chosen.compute, chosen.train.precision)
    followed = conventions.resolve(chosen.conventions, "torch")
    kept = features.read("data/features/torch")
    train, validation = (dataset.read("data/split", part) for part in dataset.PARTS)
    widths = [kept.train.shape[2], chosen.model.hidden, len(train.classes)]
    trainer = Trainer(widths, chosen.train.learning_rate, followed.adam)
    trained = training.fit_seeds(trainer, chosen, followed, kept, train.labels, "heads in PyTorch")

    folder = Path("models/torch")
    folder.mkdir(parents=True, exist_ok=True)
    classifier = classifier_torch.assemble(chosen.model, weights.read("models/backbone.safetensors"),
                                            kept.statistics_after(chosen.train.epochs), trained[0].weights, widths)
    classifier_torch.save(classifier, folder)
    card.write(card.Card(train.classes, chosen.model.backbone, chosen.model.image_size, chosen.train.precision,
                         followed.decode, followed.resize), folder)
    training.save_heads(trained, folder / "heads.safetensors")
    training.save_record(trained, "data/training/torch.safetensors")
    training.save_curves(trained, validation.labels, "metrics/curves/torch.csv")


if __name__ == "__main__":
    run(main)
