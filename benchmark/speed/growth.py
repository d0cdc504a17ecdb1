"""Measure how time and memory grow with images, seeds, epochs and classes: results/growth.csv, and a printed table.

    python -m benchmark.speed.growth                       # what docs/speed.md shows; about ten minutes
    python -m benchmark.speed.growth --images 100000 --seeds --epochs --classes --predictions  # an hour
    python -m benchmark.speed.growth --images --seeds 1 10 100 --frameworks torch

Images are drawn (source synthetic), and go through the stages, each a process of its own. Seeds, epochs and classes are
those of heads on random features, of as many images as stand in the table; then predictions of a quarter as many images
(or one of each class) are written, read and compared; those of `--predictions` are of 10,000 images and 1,000 classes
and take 4 GB of disk space for each 100 seeds of either file. All in a temporary folder, from params.yaml but for what
is said here. `make docs` writes the table into docs/speed.md.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmark.speed.files import DIGITS, RESULTS
from benchmark.speed.measure import MIB, new_trainer, peak_memory
from benchmark.speed.workspace import ROOT, Workspace
from versus import params
from versus.artifacts import metrics, predictions_csv
from versus.artifacts.features import Features
from versus.artifacts.heads import record
from versus.artifacts.predictions import Predictions
from versus.artifacts.seed_by_seed import SeedBySeed
from versus.command import run
from versus.evaluation import comparison, scores
from versus.frameworks import competitor, modules
from versus.frameworks.training import fit_seeds
from versus.recipe.architectures import ARCHITECTURES

BASE = {"images": 1000, "seeds": 10, "epochs": 3, "classes": 2}  # of the heads, where nothing else is said
LARGE = BASE | {"images": 40_000, "epochs": 0, "classes": 1000}  # of predictions alone: of 10,000 images, none trained
VALIDATION = 0.25  # images for which the heads' predictions are written, to one that trains
STAGES = ("download", "split", "weights")
OF_FRAMEWORKS = ("extract", "train", "predict")
OF_BOTH = ("evaluate", "compare")
FILES = ("keras.csv", "torch.csv")
COLUMNS = ["varied", "part", *BASE, "probabilities", "seconds", "memory", "written"]


class Measured(NamedTuple):
    """Seconds; the peak of the process or of one that it started, whichever is larger; and what it wrote. MiB."""

    seconds: float
    memory: float
    written: float = 0.0


def process(module: str, *arguments: str, folder: Path) -> Measured:
    """Run a module in a process of its own, in `folder`."""
    begin = time.perf_counter()
    child = subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=folder, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, env=os.environ | {"PYTHONPATH": str(ROOT)})
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - begin
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise ValueError(f"{module} {' '.join(arguments)}: got exit status {child.returncode}; expected 0")
    return Measured(seconds, peak_memory(usage))


def stages(images: int, side: int, frameworks: list[str], folder: Path) -> Iterator[tuple[str, Measured]]:
    """Run the stages on so many drawn images of two classes, with one view and one seed."""
    Workspace(folder, {"data.source": "synthetic", "data.classes": 2, "data.per_class": images // 2,
                       "model.image_size": side, "extract.views": 1, "train.seeds": 1})
    commands = [(stage,) for stage in STAGES] + [(stage, name) for name in frameworks for stage in OF_FRAMEWORKS]
    if len(frameworks) == 2:
        commands += [(stage, *frameworks) for stage in OF_BOTH]
    for stage, *names in commands:
        yield " ".join((stage, *names)), process(f"stages.{stage}", *names, folder=folder)


def heads(counts: dict[str, int], frameworks: list[str], folder: Path) -> Iterator[tuple[str, Measured]]:
    """Train heads in each framework, write predictions as theirs would be, and compare them."""
    numbers = [f"{key}={value}" for key, value in counts.items()]
    for name in frameworks:
        yield f"heads in {name}", process("benchmark.speed.growth", "--part", "train", name, *numbers, folder=folder)
    yield from predictions(counts, folder)


def predictions(counts: dict[str, int], folder: Path) -> Iterator[tuple[str, Measured]]:
    """Write random predictions, and compare them."""
    numbers = [f"{key}={value}" for key, value in counts.items()]
    for file in FILES:
        written = process("benchmark.speed.growth", "--part", "write", file, *numbers, folder=folder)
    size = sum((folder / file).with_suffix(kind).stat().st_size for kind in (".csv", ".npy"))
    yield "predictions", written._replace(written=size / MIB)
    yield "comparison", process("benchmark.speed.growth", "--part", "compare", "", *numbers, folder=folder)


def train(name: str, counts: dict[str, int]) -> None:
    """Train the heads of all seeds in one framework, on random features of two views."""
    settings = params.load(ROOT / "params.yaml")
    settings = settings.model_copy(update={"train": settings.train.model_copy(
        update={"seeds": counts["seeds"], "epochs": counts["epochs"]})})
    runtime, = modules(name, "runtime")
    runtime.start(settings.compute, "float32")
    width, generator = ARCHITECTURES[settings.model.backbone].width, np.random.default_rng(0)
    features = Features(generator.random((2, counts["images"], width), np.float32),
                        {"validation": generator.random((1, of_validation(counts), width), np.float32)})
    # features of single images: with batch statistics training only keeps other batches together
    conventions = replace(competitor(name).resolve(settings.conventions), batch_norm="frozen")
    trainer = new_trainer(name, settings, width, counts["classes"])
    train, validation = (np.arange(images) % counts["classes"] for images in (counts["images"], of_validation(counts)))
    trained = fit_seeds(trainer, settings, conventions, features, train, None, part_labels=validation)
    record(trained, counts["seeds"], name)


def write(file: str, counts: dict[str, int]) -> None:
    """Write random predictions of all seeds."""
    images, classes = of_validation(counts), counts["classes"]

    def of_seed(seed: int) -> np.ndarray:
        generator = np.random.default_rng([FILES.index(file), seed])
        values = generator.standard_exponential((images, classes), np.float32) ** 2  # float32 as a head's are
        return values / values.sum(axis=1, keepdims=True)

    names = tuple(f"class_{number:04}" for number in range(classes))
    labels = np.sort(np.arange(images) % classes)
    predictions_csv.write(Predictions(tuple(range(counts["seeds"])),
                                      tuple(f"{names[label]}/{number:06}.jpg" for number, label in enumerate(labels)),
                                      names, labels, SeedBySeed((counts["seeds"], images, classes), of_seed),
                                      part="validation"), file)


def compare(_: str, counts: dict[str, int]) -> None:
    """Read, score and compare what `write` wrote."""
    settings = params.load(ROOT / "params.yaml").compare
    one, other = map(predictions_csv.read, FILES)
    for each in (one, other):
        scores.summary(each, settings)
    comparison.compare(one, other, settings)


PARTS: dict[str, Callable[[str, dict[str, int]], None]] = {"train": train, "write": write, "compare": compare}


def of_validation(counts: dict[str, int]) -> int:
    return max(counts["classes"], int(counts["images"] * VALIDATION))


def measurements(options: argparse.Namespace, folder: Path) -> Iterator[tuple]:
    """Yield a row of COLUMNS for each part of each size."""
    def row(varied: str, part: str, counts: dict[str, int], measured: Measured) -> tuple:
        probabilities = counts["seeds"] * of_validation(counts) * counts["classes"]
        return varied, part, *counts.values(), probabilities, *measured

    for images in options.images:
        counts = BASE | {"images": images, "seeds": 1}
        for part, measured in stages(images, options.side, options.frameworks, folder / str(images)):
            yield row("images", part, counts, measured)
    for key in ("seeds", "epochs", "classes"):
        for number in getattr(options, key):
            counts = BASE | {key: number}
            for part, measured in heads(counts, options.frameworks, folder):
                yield row(key, part, counts, measured)
    for seeds in options.predictions:
        counts = LARGE | {"seeds": seeds}
        for part, measured in predictions(counts, folder):
            yield row("probabilities", part, counts, measured)


def main(options: argparse.Namespace) -> None:
    rows = []
    print(f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}", flush=True)
    with TemporaryDirectory() as temporary:
        for row in measurements(options, Path(temporary)):
            rows.append([float(f"{each:.{DIGITS}g}") if isinstance(each, float) else each for each in row])
            print(f"| {' | '.join(map(str, rows[-1]))} |", flush=True)
    metrics.write_table(options.output, pd.DataFrame(rows, columns=COLUMNS))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--part"]:
        part, name, *numbers = sys.argv[2:]
        PARTS[part](name, {key: int(value) for key, value in (number.split("=") for number in numbers)})
        sys.exit()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, nargs="*", default=[300, 1000, 3000, 10000])
    parser.add_argument("--side", type=int, default=64, help="model.image_size of the stages (default: 64)")
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 10, 100])
    parser.add_argument("--epochs", type=int, nargs="*", default=[3, 100])
    parser.add_argument("--classes", type=int, nargs="*", default=[2, 1000])
    parser.add_argument("--predictions", type=int, nargs="*", default=[10], metavar="SEEDS")
    parser.add_argument("--frameworks", nargs="+", default=["keras", "torch"], choices=["keras", "torch"])
    parser.add_argument("--output", type=Path, default=RESULTS / "growth.csv")
    run(lambda: main(parser.parse_args()))
