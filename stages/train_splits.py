"""Train on several splits, if `compare.splits` asks for them: python -m stages.train_splits keras."""

import sys

from versus import params
from versus.artifacts import splits
from versus.command import run
from versus.frameworks import cluster, competitor, modules
from versus.recipe import weights


def main(name):
    settings, entry, path = params.load(), competitor(name), f"data/splits/{name}.safetensors"
    if settings.compare.splits == 1:
        splits.save(None, path)
        return
    # pandas and scikit-learn, which take a second: only where there is something to divide
    from versus.frameworks.devices import check_precision
    from versus.frameworks.extraction import build
    from versus.frameworks.folds import FoldFeatures, fit_folds
    from versus.images import folds

    runtime, maker, own, head = modules(name, "runtime", "backbone", "features", "head")
    device = runtime.start(settings.compute, settings.train.precision)
    check_precision(settings, device)
    maker, own = cluster.spread(settings.compute, settings.train.precision, name, maker, own)
    conventions = entry.resolve(settings.conventions)
    pool = folds.read("data/split", "data/split.csv", settings.compare.splits, settings.split.seed)
    pretrained = weights.read_pretrained("models/backbone.safetensors")
    backbones = build(maker, settings, pretrained, conventions.batch_norm)
    features = FoldFeatures(maker, own, backbones, pool, settings, conventions,
                            f"features of {pool.splits} splits in {entry.title}")
    widths = [features.width, settings.model.hidden, len(pool.classes)]
    trainer = head.Trainer(widths, settings.train.learning_rate, conventions.adam)
    predicted = fit_folds(trainer, features, f"heads of {pool.splits} splits in {entry.title}")
    splits.save(splits.SplitPredictions(tuple(pool.names), tuple(pool.classes), pool.labels, pool.units, pool.folds,
                                        *predicted), path)


if __name__ == "__main__":
    run(main, *sys.argv[1:])
