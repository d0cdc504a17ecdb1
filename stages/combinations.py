"""Train every combination of two competitors' differing conventions: python -m stages.combinations keras torch.

The second one trains them all, preferably the faster: PyTorch (docs/speed.md). It stands for both: with equal
conventions they compute the same numbers (metrics/details/parity.json). What the combinations miss of the native runs'
difference, `explain` calls 'not explained'.
"""

import sys
from pathlib import Path

from versus import params
from versus.artifacts import feature_cache, features
from versus.artifacts.combinations import Design, save
from versus.command import run
from versus.frameworks import cluster, combinations, competitor, modules
from versus.frameworks.devices import check_precision
from versus.images import dataset
from versus.recipe import conventions, weights

FILES = ("data/raw.csv", "data/split.csv", "models/backbone.safetensors")  # on which the features depend


def main(first, second):
    native_settings, one, other = params.load(), competitor(first), competitor(second)
    settings = combinations.settings_of_combinations(native_settings)
    runtime, maker, own, head = modules(second, "runtime", "backbone", "features", "head")
    device = runtime.start(settings.compute, settings.train.precision)
    check_precision(settings, device)
    maker, own = cluster.spread(settings.compute, settings.train.precision, second, maker, own)
    part = dataset.compared_part("data/split", settings.compare.part)
    train, images = (dataset.read("data/split", each) for each in ("train", part))

    ends = [each.resolve(settings.conventions) for each in (one, other)]
    resolved = conventions.combinations(*ends)
    combinations.check_batches(settings, resolved)
    entries = combinations.entries(resolved, train.files + images.files)
    computer = combinations.FeatureComputer(maker, own, weights.read_pretrained("models/backbone.safetensors"),
                                            settings, train.files, {part: images.files})
    needed = combinations.first_of_each(entries, resolved)
    if other.era is None and native_settings.extract.views == settings.extract.views:
        own_run = features.read(f"data/features/{second}").last_pass(settings.train.epochs)
        computer.known[needed[entries[-1]]] = own_run
    cache = f"data/feature_cache/{first}-{second}"
    feature_cache.prepare(cache, needed, combinations.origin(settings, other.framework, part, *map(Path, FILES)),
                          computer.compute)

    probabilities = combinations.fit_combinations(head.Trainer, settings, resolved, entries,
                                                  lambda entry: feature_cache.read(cache, entry), train, part)
    save(Design((first, second), part, conventions.differing(*ends), entries, images.names, images.classes,
                images.labels, combinations.trainings(resolved, entries)), probabilities, settings.train.seeds,
         f"data/combinations/{first}-{second}")


if __name__ == "__main__":
    run(main, *sys.argv[1:])
