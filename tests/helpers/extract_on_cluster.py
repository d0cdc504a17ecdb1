"""Compute features of a folder's images by each kind of batch norm, on this machine or on a cluster.

    python -m tests.helpers.extract_on_cluster FRAMEWORK CLUSTER IMAGES FOLDER KIND...    # CLUSTER: none or an address

Writes FOLDER/KIND.npz: augmented, validation, and the running statistics by name. On a cluster a line is printed for
each piece of work whose result has come.
"""

import sys
from pathlib import Path

import numpy as np

from tests.helpers.backbones import MODEL
from versus import params
from versus.command import run
from versus.frameworks import cluster, modules
from versus.frameworks.extraction import extract
from versus.recipe import weights
from versus.recipe.conventions import FeatureConventions
from versus.recipe.weights import Pretrained

BATCH = 4


def main(framework, address, images, folder, *kinds):
    settings = params.load()
    sections = {"compute": {"threads": 1, "cluster": address}, "extract": {"views": 2, "batch": BATCH},
                "train": {"batch": BATCH}}
    settings = settings.model_copy(update={"model": MODEL} | {
        name: getattr(settings, name).model_copy(update=values) for name, values in sections.items()})
    runtime, backbones, own = modules(framework, "runtime", "backbone", "features")
    runtime.start(settings.compute, "float32")
    shapes = backbones.shapes(backbones.network(MODEL.backbone, MODEL.image_size))
    report_results()
    backbones, own = cluster.spread(settings.compute, "float32", framework, backbones, own)
    files = sorted(Path(images).rglob("*.jpg"))
    Path(folder).mkdir()
    for kind in kinds:
        backbone = backbones.build(MODEL, Pretrained(weights.draw(shapes)), kind)
        of_files = extract(own, backbone, files[5:], {"validation": files[:5]}, settings,
                           FeatureConventions("accurate", "antialiased", "uniform", kind), None)
        statistics = own.statistics(backbone)
        np.savez(f"{folder}/{kind}.npz", augmented=of_files.augmented, pixels=of_files.pixels, **of_files.plain,
                 **statistics)


def report_results():
    """Make workers' results print a line each."""
    results = cluster.Workers.results

    def reported(*arguments):
        for number, result in enumerate(results(*arguments), 1):
            print("result", number, flush=True)
            yield result

    cluster.Workers.results = reported


if __name__ == "__main__":
    run(main, *sys.argv[1:])
