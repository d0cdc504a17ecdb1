"""Write the pipeline's Lite0 as a plain .keras file for the recipes: python -m benchmark.recipes.export_backbone FILE.

No trustworthy port to Keras is published as a package (KerasHub's features differ by 50 %), so the recipes take this
one, which metrics/details/parity.json compares with timm's. It needs models/backbone.safetensors (`dvc repro weights`),
and holds layers of Keras alone.
"""

import sys

from versus import params
from versus.command import run
from versus.frameworks.keras import backbone
from versus.recipe import weights


def main(path):
    model = params.load().model
    backbone.build(model, weights.read_pretrained("models/backbone.safetensors"), "saved").save(path)


if __name__ == "__main__":
    run(main, *sys.argv[1:])
