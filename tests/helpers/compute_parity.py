"""Compute pixels, features and heads of a few images in one framework, for `test_parity.py` to compare.

PyTorch comes first: it finds the weights and leaves them in WEIGHTS for Keras.
"""

import argparse
import importlib
import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from versus.recipe import conventions
from versus import params
from versus.frameworks import training
from versus.recipe import weights
from versus.recipe.conventions import TABLE

SETTINGS = {"model": {"image_size": 64, "hidden": 32}, "extract": {"views": 2, "batch": 6},
            "train": {"seeds": 2, "epochs": 6, "batch": 6}}
OTHER = {"keras": "torch", "torch": "keras"}
SWAPPED = {"interpolated": "antialiased", "antialiased": "interpolated"}


def main():
    asked = arguments()
    module = {name: importlib.import_module(f"versus.frameworks.{asked.framework}.{name}")
              for name in ("runtime", "backbone", "features", "head")}
    chosen = settings(asked)
    module["runtime"].start(chosen.compute, asked.precision)
    if asked.framework == "torch":
        save_file(module["backbone"].find_weights(chosen.model), asked.weights)
    if asked.broken == "epsilon":
        right = weights.ARCHITECTURES[asked.backbone]
        weights.ARCHITECTURES[asked.backbone] = right._replace(epsilon=right.epsilon / 100)
    files = sorted(Path(asked.images).glob("*/*.*"))
    kept, found = {}, {}
    for name, section in cases(asked.cases).items():
        followed = conventions.resolve(section, asked.framework)
        if asked.broken == "antialias":
            followed = replace(followed, resize=SWAPPED[followed.resize])
        found[name] = compute(module, chosen, followed, asked.weights, files, kept)
    Path(asked.out).write_bytes(pickle.dumps(found))


def arguments():
    parser = argparse.ArgumentParser()
    for name in ("framework", "precision", "images", "weights", "out"):
        parser.add_argument(name)
    parser.add_argument("--backbone", default="efficientnet_lite0")
    parser.add_argument("--cases", default="each", choices=["each", "all"])
    parser.add_argument("--broken", choices=["epsilon", "antialias"])
    return parser.parse_args()


def settings(asked):
    chosen = params.load()
    for section, values in SETTINGS.items():
        chosen = chosen.model_copy(update={section: getattr(chosen, section).model_copy(update=values)})
    model = {"backbone": asked.backbone, "weights": "random" if asked.backbone == "resnet50" else "shared"}
    return chosen.model_copy(update={"model": chosen.model.model_copy(update=model)})


def cases(which):
    """All conventions as either framework has them and, with "each", every one alone as the other has it."""
    found = {}
    for base in ("keras", "torch"):
        everything = dict.fromkeys(TABLE, "all") | {"all": base}
        found[base] = params.Conventions(**everything)
        for name in TABLE if which == "each" else ():
            found[f"{base} but {name}"] = params.Conventions(**everything | {name: OTHER[base]})
    return found


def compute(module, chosen, followed, weights_file, files, kept):
    """Make features, unless `kept` has them from a case of the same pixels and batch norm, and train the heads."""
    train, validation = files[::2], files[1::2]
    key = (followed.decode, followed.resize, followed.augment, followed.batch_norm)
    if key not in kept:
        backbone = module["backbone"].build(chosen.model, weights.read(weights_file), followed.batch_norm)
        made = module["features"].extract_files(backbone, train, validation, chosen, followed, None)
        kept[key] = replace(made, train=np.stack(made.train), validation=np.stack(made.validation))
    features = kept[key]
    labels = np.unique([file.parent.name for file in train], return_inverse=True)[1]
    trainer = module["head"].Trainer([features.train.shape[2], chosen.model.hidden, int(labels.max()) + 1],
                                     chosen.train.learning_rate, followed.adam)
    return features, training.fit_seeds(trainer, chosen, followed, features, labels, None)


if __name__ == "__main__":
    main()
