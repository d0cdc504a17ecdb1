"""Train the heads of all seeds from the kept features in PyTorch; save the first as a whole classifier."""

from pathlib import Path

from versus import card, classifier_torch, conventions, dataset, features, params, runtime_torch, training, weights
from versus.command import run
from versus.head_torch import Trainer


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
