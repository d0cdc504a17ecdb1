"""Compute features and heads of a few images with one competitor, for `test_parity.py` to compare.

    python -m tests.helpers.compute_parity torch float64 IMAGES WEIGHTS OUT

PyTorch comes first: it finds the weights and leaves them in WEIGHTS for the others.
"""

import argparse
import pickle
from contextlib import nullcontext
from pathlib import Path

import numpy as np

from tests.helpers.faults import FAULTS
from versus import params
from versus.frameworks import competitor, modules
from versus.frameworks.extraction import build, extract
from versus.frameworks.training import fit_seeds
from versus.recipe import weights
from versus.recipe.conventions import OF_FEATURES, TABLE, resolve
from versus.recipe.weights import Pretrained

SETTINGS = {"model": {"image_size": 64, "hidden": 32}, "extract": {"views": 2, "batch": 6},
            "train": {"seeds": 2, "epochs": 6, "batch": 6}}
OTHER = {"keras": "torch", "torch": "keras"}


def main():
    asked = arguments()
    runtime, backbone = modules(asked.competitor, "runtime", "backbone")
    settings = small_settings(asked)
    runtime.start(settings.compute, asked.precision)
    if asked.competitor == "torch":
        (pretrained,) = modules("torch", "pretrained")
        shapes = backbone.shapes(backbone.network(asked.backbone, settings.model.image_size))
        weights.save_pretrained(Pretrained(pretrained.find_weights(settings.model, shapes)), asked.weights)
    computer = Computer(asked, settings)
    results = {name: computer.compute(resolve(section, computer.framework))
               for name, section in cases(asked.cases).items()}
    for name, (planted, _) in FAULTS.items() if asked.faults else ():
        with planted() if planted else nullcontext():
            conventions = resolve(params.Conventions.of("torch"), computer.framework)
            results[name] = Computer(asked, settings).compute(conventions, reversed_labels=name == "order of labels")
    Path(asked.out).write_bytes(pickle.dumps(results))


class Computer:
    """Compute features and heads by any conventions; features that several share are computed once."""

    def __init__(self, asked, settings):
        self.framework = competitor(asked.competitor).framework
        self.backbone, self.own, self.head = modules(asked.competitor, "backbone", "features", "head")
        self.settings, self.weights = settings, asked.weights
        self.files = sorted(Path(asked.images).glob("*/*.*"))
        self.extracted = {}

    def compute(self, conventions, reversed_labels=False):
        """Return the `Features`, and a `Trained` for each seed."""
        key = tuple(getattr(conventions, field) for field in OF_FEATURES)
        if key not in self.extracted:
            backbones = build(self.backbone, self.settings, weights.read_pretrained(self.weights),
                              conventions.batch_norm)
            self.extracted[key] = extract(self.own, backbones, self.files[::2], {"validation": self.files[1::2]},
                                          self.settings, conventions, None)
        features = self.extracted[key]
        labels = np.unique([file.parent.name for file in self.files[::2]], return_inverse=True)[1]
        widths = [features.augmented.shape[2], self.settings.model.hidden, int(labels.max()) + 1]
        trainer = self.head.Trainer(widths, self.settings.train.learning_rate, conventions.adam)
        labels = labels.max() - labels if reversed_labels else labels
        return features, list(fit_seeds(trainer, self.settings, conventions, features, labels, None))


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("competitor", "precision", "images", "weights", "out"):
        parser.add_argument(name)
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--cases", default="each", choices=["each", "all"])
    parser.add_argument("--faults", action="store_true", help="with each fault planted, too: in PyTorch alone")
    return parser.parse_args()


def small_settings(asked):
    """The committed settings, made small."""
    settings = params.load()
    model = {"backbone": asked.backbone, "weights": "random" if asked.backbone == "resnet50" else "shared"}
    for section, values in (*SETTINGS.items(), ("model", model), ("train", {"precision": asked.precision})):
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
