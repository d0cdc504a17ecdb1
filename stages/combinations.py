"""Train every combination of two competitors' differing conventions: python -m stages.combinations keras torch.

The first one trains them all, preferably the faster. It stands for both: with equal conventions they compute the same
numbers (metrics/parity.json). What the combinations miss of the native runs' difference, `explain` calls 'not
explained'.
"""

import sys
from pathlib import Path

from versus import params
from versus.artifacts import feature_cache, features
from versus.artifacts.combinations import Combinations, save
from versus.command import run
from versus.frameworks import combinations, competitor, modules
from versus.images import dataset
from versus.recipe import conventions, weights

CACHE = "data/feature_cache"
FILES = ("data/raw.csv", "data/split.csv", "models/backbone.safetensors")  # on which the features depend


def main(first, second):
    native_settings, frameworks = params.load(), (competitor(first).framework, competitor(second).framework)
    settings = combinations.settings_of_combinations(native_settings)
    runtime, backbone, own, head = modules(first, "runtime", "backbone", "features", "head")
    runtime.start(settings.compute, settings.train.precision)
    part = dataset.compared_part("data/split", settings.compare.part)
    train, images = (dataset.read("data/split", each) for each in ("train", part))

    resolved = conventions.combinations(settings.conventions, *frameworks)
    entries = combinations.entries(resolved, train.files + images.files)
    computer = combinations.FeatureComputer(backbone, own, weights.read_pretrained("models/backbone.safetensors"),
                                            settings, train.files, {part: images.files})
    if native_settings.extract.views == settings.extract.views:
        computer.known[resolved[0]] = features.read(f"data/features/{first}")  # those of its native run
    feature_cache.prepare(CACHE, combinations.first_of_each(entries, resolved),
                          combinations.origin(settings, frameworks[0], part, *map(Path, FILES)), computer.compute)

    probabilities = combinations.fit_combinations(head.Trainer, settings, resolved, entries,
                                                  lambda entry: feature_cache.read(CACHE, entry), train, part)
    differing = conventions.differing(settings.conventions, *frameworks)
    save(Combinations(frameworks, differing, images.names, probabilities), "data/combinations.safetensors")


if __name__ == "__main__":
    run(main, *sys.argv[1:])
