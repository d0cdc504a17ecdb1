"""Compute features of a folder's images by each kind of batch norm, on this machine or on a cluster.

    python -m tests.helpers.extract_on_cluster CLUSTER IMAGES FOLDER PRECISION KIND...

CLUSTER: none or an address. PRECISION: see extract.precision. Writes FOLDER/KIND.npz: augmented, validation, pixels,
and the running statistics by name. On a cluster it says `pause` after the first pass over images of each kind, when all
workers wait for work, and waits for a line; and `lost` when it replaces a worker.
"""

import sys
from pathlib import Path

import numpy as np

from tests.helpers.backbones import MODEL
from versus import params
from versus.command import run
from versus.frameworks import cluster, modules
from versus.frameworks.extraction import build, extract
from versus.recipe import weights
from versus.recipe.conventions import FeatureConventions
from versus.recipe.weights import Pretrained

BATCH, VALIDATION = 2, 4


def main(address, images, folder, precision, *kinds):
    settings = params.load()
    sections = {"compute": {"threads": 1, "cluster": address}, "train": {"batch": BATCH},
                "extract": {"views": 2, "batch": BATCH, "precision": precision}}
    settings = settings.model_copy(update={"model": MODEL} | {
        name: getattr(settings, name).model_copy(update=values) for name, values in sections.items()})
    runtime, maker, own = modules("torch", "runtime", "backbone", "features")
    runtime.start(settings.compute, "float32")
    tensors = weights.draw(maker.shapes(maker.network(MODEL.backbone, MODEL.image_size)))
    maker, own = cluster.spread(settings.compute, "float32", "torch", maker, own)
    report(cluster.Workers)
    files = sorted(Path(images).rglob("*.jpg"))
    Path(folder).mkdir()
    for kind in kinds:
        cluster.Workers.passes = 0
        backbones = build(maker, settings, Pretrained(tensors), kind)
        of_files = extract(own, backbones, files[VALIDATION:], {"validation": files[:VALIDATION]}, settings,
                           FeatureConventions("accurate", "antialiased", "uniform", kind), None)
        np.savez(f"{folder}/{kind}.npz", augmented=of_files.augmented, pixels=of_files.pixels, **of_files.plain,
                 **own.statistics(backbones.views))


def report(workers):
    """Make the class Workers say what it does."""
    results, lose = workers.results, workers._lose

    def reported(self, *arguments):
        workers.passes += 1
        if workers.passes == 2:
            print("pause", flush=True)
            sys.stdin.readline()
        yield from results(self, *arguments)

    def lost(self, *arguments):
        print("lost", flush=True)
        lose(self, *arguments)

    workers.results, workers._lose = reported, lost


if __name__ == "__main__":
    run(main, *sys.argv[1:])
