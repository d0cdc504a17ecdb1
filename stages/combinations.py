"""Train every combination of the conventions in which the frameworks differ: python -m stages.combinations keras.

One competitor trains them all, preferably the fastest. It stands for the others: with equal conventions all compute the
same numbers (metrics/parity.json). What the combinations miss of the native runs' difference, `explain` calls 'not
explained'.
"""

import sys
from pathlib import Path

from versus import params
from versus.artifacts import combinations as files
from versus.artifacts import feature_cache, features
from versus.command import run
from versus.frameworks import combinations, competitor, modules
from versus.images import dataset
from versus.recipe import conventions, weights

CACHE = "data/feature_cache"


def main(name):
    native_settings = params.load()
    settings, framework = combinations.settings_of_combinations(native_settings), competitor(name).framework
    runtime, backbone, own, head = modules(name, "runtime", "backbone", "features", "head")
    runtime.start(settings.compute, settings.train.precision)
    train, validation = (dataset.read("data/split", part) for part in dataset.PARTS)
    pretrained = weights.read_pretrained("models/backbone.safetensors")

    resolved = conventions.combinations(settings.conventions)
    entries = combinations.entries(resolved, train.files + validation.files)
    computer = combinations.FeatureComputer(backbone, own, pretrained, settings, train, validation)
    if native_settings.extract.views == settings.extract.views:  # then the native run has those of the first already
        computer.known[resolved[0]] = features.read(f"data/features/{name}")
    origin = feature_cache.fingerprint(
        *map(Path, ("data/raw.csv", "data/split.csv", "models/backbone.safetensors")), *combinations.sources(framework),
        *(section.model_dump() for section in (settings.extract, settings.model, settings.compute)),
        settings.train.precision)
    feature_cache.prepare(CACHE, combinations.first_of_each(entries, resolved), origin, computer.compute)

    probabilities = combinations.fit_combinations(head.Trainer, settings, resolved, entries,
                                                  lambda entry: feature_cache.read(CACHE, entry), train)
    files.save(files.Combinations(conventions.differing(settings.conventions), validation.names, probabilities),
               "data/combinations.safetensors")


if __name__ == "__main__":
    run(main, *sys.argv[1:])
