"""Train the heads of all seeds, and save the backbone with one or all as the classifier: python -m stages.train keras.

With `model.deploy: mean` the classifier's probabilities are the mean of all heads'.
"""

import sys
from pathlib import Path

from versus import params
from versus.artifacts import features, heads, model_info
from versus.artifacts.model_info import ModelInfo
from versus.command import run
from versus.frameworks import competitor, modules
from versus.frameworks.training import fit_seeds
from versus.images import conversion, dataset
from versus.recipe import weights


def main(name):
    settings, entry = params.load(), competitor(name)
    runtime, head, classifiers = modules(name, "runtime", "head", "classifier")
    device = runtime.start(settings.compute, settings.train.precision)
    conventions = entry.resolve(settings.conventions)
    extracted = features.read(f"data/features/{name}")
    train, validation = (dataset.read("data/split", part) for part in ("train", "validation"))
    widths = [extracted.augmented.shape[2], settings.model.hidden, len(train.classes)]
    trainer = head.Trainer(widths, settings.train.learning_rate, conventions.adam)
    trained = fit_seeds(trainer, settings, conventions, extracted, train.labels, f"heads in {entry.title}",
                        part_labels=validation.labels)
    trained_heads = heads.record(trained, settings.train.seeds, f"data/training/{name}")

    deployed = trained_heads if settings.model.deploy == "mean" else trained_heads[:1]
    folder = Path("models", name)
    folder.mkdir(parents=True, exist_ok=True)
    classifier = classifiers.assemble(settings.model, weights.read_pretrained("models/backbone.safetensors"),
                                      extracted.statistics_after(settings.train.epochs), deployed, widths)
    classifiers.save(classifier, folder)
    how = conversion.read(Path("data/conversion.json"))
    model_info.write(ModelInfo(train.classes, settings.model.backbone, settings.model.image_size,
                               settings.train.precision, settings.model.deploy, how.background, how.deep_range,
                               conventions.decode, conventions.resize, device), folder)
    heads.save(trained_heads, folder / "heads.safetensors")


if __name__ == "__main__":
    run(main, *sys.argv[1:])
