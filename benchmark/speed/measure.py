"""Measure one task of one contestant in this process, and print the numbers as JSON.

    python -m benchmark.speed.measure TASK CONTESTANT IMAGES-FOLDER ONNX-FILE COUNT STARTED

TASK: frozen, batch (features with frozen batch norm, or with the statistics of each batch), frozen_bfloat16,
batch_bfloat16 (the same in bfloat16) or head (its training).
COUNT: of images. STARTED: when the process was started, in seconds since the epoch.
"""

import json
import math
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from benchmark.speed.contestants import Contestant, contestant
from versus import params
from versus.command import run
from versus.frameworks import competitor, modules
from versus.frameworks.training import Trainer
from versus.images import dataset
from versus.recipe import draws
from versus.recipe.architectures import ARCHITECTURES
from versus.recipe.pixels import ImageBatches

WARM_UP, STEPS = 50, 500  # steps of the head before the clock runs, and while it runs
MIB = 2**20

Measured = dict[str, float]


def images_of(folder: Path, count: int, settings: params.Params) -> tuple[ImageBatches, np.ndarray, int]:
    """Return `count` training images spread evenly over the classes, repeated if there are fewer, in batches.

    All contestants read them as PyTorch does. Beside them the labels, and the number of classes.
    """
    train = dataset.read(folder, "train")
    rows = np.linspace(0, len(train.files), count, endpoint=False).astype(int)
    pixels = competitor("torch").resolve_features(settings.conventions).pixels
    images = ImageBatches([train.files[i] for i in rows], draws.in_order(count, settings.extract.batch),
                          settings.model.image_size, pixels, threads=settings.compute.threads)
    return images, train.labels[rows], len(train.classes)


def bfloat16(batch_norm: str, name: str, folder: Path, file: Path, count: int, started: float) -> Measured:
    """Measure images per second of extraction in bfloat16."""
    settings = params.load()
    one = contestant(name, settings, file)
    one.build(batch_norm, "bfloat16")
    seconds, _ = timed(one, images_of(folder, count, settings)[0])
    return {f"images_{batch_norm}_bfloat16": count / seconds}


def timed(one: Contestant, images: ImageBatches) -> tuple[float, np.ndarray]:
    """Return how long a contestant takes for the features of all images, and the features."""
    one.extract(images.some(slice(1)))  # graphs are made with the first batch
    begin = time.perf_counter()
    extracted = one.extract(images)
    return time.perf_counter() - begin, extracted


def features(batch_norm: str, name: str, folder: Path, file: Path, count: int, started: float) -> Measured:
    """Measure start-up, images per second and peak memory of extraction; with frozen batch norm, training, too."""
    settings = params.load()
    one = contestant(name, settings, file)
    imported = time.time()
    one.build(batch_norm)
    ready = time.time()
    images, labels, classes = images_of(folder, count, settings)
    seconds, extracted = timed(one, images)
    memory = peak_memory(resource.getrusage(resource.RUSAGE_SELF))
    measured = {f"images_{batch_norm}": count / seconds, f"memory_{batch_norm}": memory}
    if batch_norm == "frozen":
        measured |= {"start_import": imported - started, "start_ready": ready - started}
        if name != "onnxruntime":
            trainer = new_trainer(name, settings, extracted.shape[1], classes)
            trainer.step(extracted[:settings.train.batch], labels[:settings.train.batch])
            begin = time.perf_counter()
            for batch in images.batches:
                trainer.step(extracted[batch], labels[batch])
            measured["steps_whole"] = len(images.batches) / (seconds + time.perf_counter() - begin)
    return measured


def head(name: str, folder: Path, file: Path, count: int, started: float) -> Measured:
    """Measure training steps per second of the head on random features."""
    settings = params.load()
    runtime, = modules(name, "runtime")
    runtime.start(settings.compute, "float32")
    size, width = settings.train.batch, ARCHITECTURES[settings.model.backbone].width
    generator = np.random.default_rng(0)
    rows = generator.random((8 * size, width), np.float32)
    classes = len(dataset.read(folder, "train").classes)
    labels = generator.integers(classes, size=len(rows))
    trainer = new_trainer(name, settings, width, classes)
    for number in range(WARM_UP + STEPS):
        if number == WARM_UP:
            begin = time.perf_counter()
        batch = slice(number % 8 * size, (number % 8 + 1) * size)
        trainer.step(rows[batch], labels[batch])
    return {"steps_head": STEPS / (time.perf_counter() - begin)}


def new_trainer(name: str, settings: params.Params, width: int, classes: int) -> Trainer:
    """Return a framework's trainer of the head at its initial weights."""
    heads, = modules(name, "head")
    conventions = competitor(name).resolve(settings.conventions)
    widths = [width, settings.model.hidden, classes]
    trainer = heads.Trainer(widths, settings.train.learning_rate, conventions.adam)
    trainer.reset(draws.initial_weights(0, widths, conventions.head_init))
    return trainer


def peak_memory(usage: resource.struct_rusage) -> float:
    """Return the most memory that a process has held, in MiB."""
    return usage.ru_maxrss / (MIB if sys.platform == "darwin" else 1024)


TASKS: dict[str, Callable[..., Measured]] = {
    "frozen": partial(features, "frozen"), "batch": partial(features, "batch"),
    "frozen_bfloat16": partial(bfloat16, "frozen"), "batch_bfloat16": partial(bfloat16, "batch"), "head": head,
}


def main(task: str, name: str, folder: str, file: str, count: str, started: str) -> None:
    measured = TASKS[task](name, Path(folder), Path(file), int(count), float(started))
    if not all(math.isfinite(value) and value > 0 for value in measured.values()):
        raise ValueError(f"{name}, {task}: got {measured}; expected positive numbers")
    print(json.dumps(measured))


if __name__ == "__main__":
    run(main, *sys.argv[1:])
