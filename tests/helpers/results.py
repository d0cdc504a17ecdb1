"""A made-up run: what the last stages read, small and drawn at random, and those stages in a process of their own."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import yaml

from tests.helpers.features import save as save_features
from tests.helpers.paths import ROOT
from tests.helpers.predictions import NAMES, draw_predictions
from versus.artifacts import combinations, heads, metrics, model_info, predictions_csv, splits
from versus.artifacts.combinations import Design
from versus.artifacts.features import Features
from versus.artifacts.heads import Trained
from versus.artifacts.model_info import ModelInfo
from versus.frameworks.history import score_epoch

PAIR = ("keras", "torch")
STAGES = ("evaluate", "compare", "parity", "explain", "compare_splits")
SEEDS, IMAGES, VIEWS, WIDTH = 4, 90, 2, 16
FACTORS = ["decode", "batch_norm", "adam"]
SPLIT = {"classes": 2, "train": 200, "validation": IMAGES, "problems": 1, "label_conflicts": 0,
         "near_duplicate_groups": 3, "leaks_exact": 1, "leaks_near": 2, "leaks_removed": 3, "leaks_unavoidable": 0,
         "median_side": 100}
# the stages' `main`s in turn, a line of dashes after each
DRIVER = ("import sys; from importlib import import_module\n"
          "for stage in sys.argv[1:]: import_module(f'stages.{stage}').main(*" + repr(PAIR) + "); print('-' * 9)")


def write_run(folder, seed=0, classes=2, names=NAMES, seeds=SEEDS):
    """Write params.yaml and the data that STAGES read: without the features of explain, which it then judges not."""
    rng = np.random.default_rng(seed)
    settings = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    settings["compare"]["bootstrap"], settings["explain"] = 500, {"views": 1, "seeds": max(2, min(3, seeds))}
    settings["train"]["seeds"] = seeds
    folder.mkdir(exist_ok=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(settings), "utf-8")
    shutil.copytree(ROOT / "data/none", folder / "data/none")
    drawn = [in_order(draw_predictions(seeds, IMAGES, classes, skill, rng, names))
             for skill in (1.5, *rng.uniform(1, 2.5, 8))]
    for name, predictions in zip(PAIR, drawn):
        predictions_csv.write(predictions, folder / f"data/predictions/{name}.csv")
        trained = [draw_trained(rng, each, predictions.labels) for each in predictions.probabilities]
        save_trained(trained, folder / f"models/{name}", folder / f"data/training/{name}")
        model_info.write(info(names[:classes]), folder / f"models/{name}")
        splits.save(None, folder / f"data/splits/{name}.safetensors")
        augmented, plain = rng.normal(size=(VIEWS, 200, WIDTH)), rng.normal(size=(1, IMAGES, WIDTH))
        save_features(Features(augmented, {"validation": plain}, [], rng.uniform(0, 255, (4, 9))),
                      folder / f"data/features/{name}")
    for name in ("same_features", "reversed"):
        trained = [draw_trained(rng, each, drawn[1].labels) for each in drawn[1].probabilities]
        target = folder / f"data/controls/{name}"
        save_trained(trained, target, target)
    design = Design(PAIR, "validation", FACTORS, ["entry"] * 8, list(drawn[0].files), list(names[:classes]),
                    drawn[0].labels, np.arange(8))
    of_seeds = [of_seed for each in drawn[1:] for of_seed in each.probabilities[:3]]
    combinations.save(design, of_seeds, min(3, seeds), folder / "data/combinations/keras-torch")
    metrics.write(folder / "metrics/details/split.json", SPLIT | {"classes": classes})
    metrics.write_answer(folder / "metrics/leaks.json", {"value": 0})


def info(names, **changes):
    """What is saved with a classifier of these classes."""
    values = {"backbone": "efficientnet_lite0", "image_size": 64, "precision": "float32", "deploy": "first",
              "background": "white", "deep_range": None, "decode": "accurate", "resize": "antialiased",
              "device": "cpu"}
    return ModelInfo(list(names), **values | changes)


def in_order(predictions):
    """The predictions with their images in the order of files, as a file of predictions is read."""
    order = np.argsort(predictions.files)
    return replace(predictions, part="validation", files=tuple(np.array(predictions.files)[order]),
                   labels=predictions.labels[order], probabilities=predictions.probabilities[:, order])


def draw_trained(rng, probabilities, labels, epochs=3):
    """Draw a head that has these probabilities after each epoch, in float32 as heads are."""
    shapes = (WIDTH, 8), (8, probabilities.shape[1])
    weights = [(rng.normal(size=shape), rng.normal(size=shape[1])) for shape in shapes]
    losses, probabilities = rng.uniform(0.1, 1, (epochs, 4)), probabilities.astype("float32")
    scores = [score_epoch(of_epoch, probabilities, labels) for of_epoch in losses]
    return Trained([tuple(each.astype("float32") for each in layer) for layer in weights], losses.ravel(),
                   probabilities, {name: np.array([each[name] for each in scores]) for name in scores[0]})


def save_trained(trained, folder, record):
    """Save heads and what their training recorded."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = heads.record(trained, len(trained), record)
    heads.save(weights, folder / "heads.safetensors")


def run_stages(folder, *stages, before="", **environment):
    """Run stages in `folder`, in one process, after the code `before`; return what each prints."""
    done = subprocess.run([sys.executable, "-c", before + DRIVER, *stages], cwd=folder, text=True, capture_output=True,
                          env=os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "80"} | environment)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return dict(zip(stages, done.stdout.split("-" * 9 + "\n")))


def written(folder):
    """The files that a run wrote into the folder metrics: {path: bytes}."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("metrics/**/*"))
            if path.is_file()}
