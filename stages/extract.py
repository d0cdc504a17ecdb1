"""Compute the features of all views of the images with the frozen backbone: python -m stages.extract keras."""

import sys

from versus import params
from versus.artifacts import features
from versus.command import run
from versus.frameworks import cluster, competitor, modules
from versus.frameworks.devices import check_precision
from versus.frameworks.extraction import build, extract
from versus.images import dataset
from versus.recipe import weights


def main(name):
    settings, entry = params.load(), competitor(name)
    runtime, maker, own = modules(name, "runtime", "backbone", "features")
    device = runtime.start(settings.compute, settings.train.precision)
    check_precision(settings, device)
    maker, own = cluster.spread(settings.compute, settings.train.precision, name, maker, own)
    conventions = entry.resolve_features(settings.conventions)
    pretrained = weights.read_pretrained("models/backbone.safetensors")
    backbones = build(maker, settings, pretrained, conventions.batch_norm)
    files = {part: dataset.read("data/split", part).files for part in dataset.parts("data/split")}
    folder = features.Folder(f"data/features/{name}")
    folder.complete(extract(own, backbones, files.pop("train"), files, settings, conventions,
                            f"features in {entry.title}", folder))


if __name__ == "__main__":
    run(main, *sys.argv[1:])
