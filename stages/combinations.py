"""Train every combination of the conventions in which the frameworks differ: python -m stages.combinations keras.

One competitor trains them all, best the fastest. It stands for the others: with equal conventions all compute the same
numbers (metrics/parity.json). What the combinations miss of the native runs' difference `explain` calls 'not explained'.
"""

import sys
from functools import cache
from pathlib import Path

from versus import params
from versus.artifacts import combinations as files
from versus.artifacts import feature_cache, features
from versus.command import run
from versus.frameworks import combinations, competitor, modules
from versus.frameworks.extraction import extract
from versus.images import dataset
from versus.recipe import conventions, weights

CACHE = "data/feature_cache"


def main(name):
    settings, framework = params.load(), competitor(name).framework
    runtime, head = modules(name, "runtime", "head")
    runtime.start(settings.compute, settings.train.precision)
    train, validation = (dataset.read("data/split", part) for part in dataset.PARTS)
    resolved = conventions.combinations(settings.conventions)
    jpeg = combinations.any_jpeg(train.files + validation.files)
    entries = [combinations.entry(each, jpeg) for each in resolved]
    changed = combinations.settings_of_combinations(settings)
    origin = feature_cache.fingerprint(
        Path("data/raw.csv"), Path("data/split.csv"), Path("models/backbone.safetensors"),
        *combinations.sources(framework), settings.train.precision,
        *(section.model_dump() for section in (changed.extract, settings.model, settings.compute)))

    needed = {}
    for entry, each in zip(entries, resolved):
        needed.setdefault(entry, each)  # of combinations with equal features the first
    extracted = resolved[0] if settings.explain.views == settings.extract.views else None  # by the native run

    def compute(combination, title):
        if combination == extracted:
            return features.read(f"data/features/{name}")
        return extract_combination(name, train.files, validation.files, changed, combination, title)

    feature_cache.prepare(CACHE, needed, origin, compute)
    probabilities = combinations.fit_combinations(head.Trainer, changed, resolved, entries,
                                                  lambda entry: feature_cache.read(CACHE, entry), train)
    files.save(files.Combinations(conventions.differing(settings.conventions), validation.names, probabilities),
               "data/combinations.safetensors")


@cache  # a compiled backbone serves all combinations of its kind
def build(name, model, batch_norm):
    (backbones,) = modules(name, "backbone")
    backbone = backbones.build(model, weights.read_pretrained("models/backbone.safetensors"), batch_norm)
    return backbone, backbones.statistics(backbone)


def extract_combination(name, train, validation, settings, combination, title):
    backbones, own = modules(name, "backbone", "features")
    backbone, statistics = build(name, settings.model, combination.batch_norm)
    backbones.set_statistics(backbone, statistics)  # the combination before may have changed them
    return extract(own, backbone, train, {"validation": validation}, settings, combination, title)


if __name__ == "__main__":
    run(main, *sys.argv[1:])
