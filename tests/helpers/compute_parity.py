"""Compute features and heads of a few images with one competitor, for `test_parity.py` to compare.

    python -m tests.helpers.compute_parity torch float64 IMAGES WEIGHTS OUT

PyTorch comes first: it finds the weights and leaves them in WEIGHTS for the others.
"""

import argparse
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np

from versus import params
from versus.frameworks import competitor, modules
from versus.frameworks.extraction import extract
from versus.frameworks.training import fit_seeds
from versus.recipe import architectures, weights
from versus.recipe.conventions import OF_FEATURES, TABLE, resolve
from versus.recipe.weights import Pretrained

SETTINGS = {"model": {"image_size": 64, "hidden": 32}, "extract": {"views": 2, "batch": 6},
            "train": {"seeds": 2, "epochs": 6, "batch": 6}}
OTHER = {"keras": "torch", "torch": "keras"}
SWAPPED = {"interpolated": "antialiased", "antialiased": "interpolated"}


def main():
    asked = arguments()
    runtime, backbone, features, head = modules(asked.competitor, "runtime", "backbone", "features", "head")
    settings = small_settings(asked)
    runtime.start(settings.compute, asked.precision)
    if asked.competitor == "torch":
        (pretrained,) = modules("torch", "pretrained")
        shapes = backbone.shapes(backbone.network(asked.backbone, settings.model.image_size))
        weights.save_pretrained(Pretrained(pretrained.find_weights(settings.model, shapes)), asked.weights)
    if asked.broken == "epsilon":
        right = architectures.ARCHITECTURES[asked.backbone]
        architectures.ARCHITECTURES[asked.backbone] = right._replace(epsilon=right.epsilon / 100)
    files = sorted(Path(asked.images).glob("*/*.*"))
    extracted, results = {}, {}
    for name, section in cases(asked.cases).items():
        conventions = resolve(section, competitor(asked.competitor).framework)
        if asked.broken == "antialias":
            conventions = replace(conventions, resize=SWAPPED[conventions.resize])
        key = tuple(getattr(conventions, field) for field in OF_FEATURES)
        if key not in extracted:
            network = backbone.build(settings.model, weights.read_pretrained(asked.weights), conventions.batch_norm)
            extracted[key] = extract(features, network, files[::2], {"validation": files[1::2]}, settings, conventions,
                                     None)
        labels = np.unique([file.parent.name for file in files[::2]], return_inverse=True)[1]
        widths = [extracted[key].augmented.shape[2], settings.model.hidden, int(labels.max()) + 1]
        trainer = head.Trainer(widths, settings.train.learning_rate, conventions.adam)
        results[name] = extracted[key], fit_seeds(trainer, settings, conventions, extracted[key], labels, None)
    Path(asked.out).write_bytes(pickle.dumps(results))


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("competitor", "precision", "images", "weights", "out"):
        parser.add_argument(name)
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--cases", default="each", choices=["each", "all"])
    parser.add_argument("--broken", choices=["epsilon", "antialias"])
    return parser.parse_args()


def small_settings(asked):
    """The committed settings, made small."""
    settings = params.load()
    model = {"backbone": asked.backbone, "weights": "random" if asked.backbone == "resnet50" else "shared"}
    for section, values in (*SETTINGS.items(), ("model", model)):
        settings = settings.model_copy(update={section: getattr(settings, section).model_copy(update=values)})
    return settings


def cases(which):
    """All conventions as either framework has them and, with "each", every one alone as the other has it; in each era.

    A section that says the same as an earlier one is left out.
    """
    sections, seen = {}, set()
    for era in params.ERAS:
        for base in ("keras", "torch"):
            others = TABLE if which == "each" else ()
            for name, single in (("all", {}), *((name, {name: OTHER[base]}) for name in others)):
                section = params.Conventions.of(base, era=era, **single)
                if (resolved := resolve(section, "keras")) not in seen:
                    seen.add(resolved)
                    sections[f"{base} {era} but {name}" if single else f"{base} {era}"] = section
    return sections


if __name__ == "__main__":
    main()
