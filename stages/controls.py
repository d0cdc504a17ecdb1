"""Train the heads once more, so that `parity` can tell heads from features: python -m stages.controls keras torch.

In data/controls, `same_features` has the second competitor's heads trained on the first one's features, and `reversed`
those trained on its own with each batch in reverse order: the same sums in another order, so only rounding differs.
"""

import sys
from pathlib import Path

from versus import params
from versus.artifacts import features, heads
from versus.command import run
from versus.frameworks import competitor, modules
from versus.frameworks.training import fit_seeds
from versus.images import dataset


def main(first, second):
    settings, entry = params.load(), competitor(second)
    runtime, head = modules(second, "runtime", "head")
    runtime.start(settings.compute, settings.train.precision)
    conventions = entry.resolve(settings.conventions)
    train = dataset.read("data/split", "train")
    others, own = (features.read(f"data/features/{name}") for name in (first, second))
    widths = [own.augmented.shape[2], settings.model.hidden, len(train.classes)]
    trainer = head.Trainer(widths, settings.train.learning_rate, conventions.adam)
    for name, extracted, title in (("same_features", others, "heads alone"), ("reversed", own, "control")):
        trained = fit_seeds(trainer, settings, conventions, extracted, train.labels, title, reverse=name == "reversed")
        folder = Path("data/controls", name)
        heads.save(heads.record(trained, settings.train.seeds, folder), folder / "heads.safetensors")


if __name__ == "__main__":
    run(main, *sys.argv[1:])
