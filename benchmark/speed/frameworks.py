"""Measure what each framework does, in turn, several times: python -m benchmark.speed.frameworks data/split.

Each task of each contestant runs in a process of its own. In every repetition another contestant begins.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmark.speed import files, sizes
from benchmark.speed.contestants import FRAMEWORKS, NAMES, PRETRAINED
from benchmark.speed.files import Row
from versus import params
from versus.command import run
from versus.frameworks.devices import has_bfloat16
from versus.frameworks.workers import Worker
from versus.images import dataset

TASKS = {"frozen": NAMES, "batch": FRAMEWORKS, "head": FRAMEWORKS}
if has_bfloat16():
    TASKS |= {"frozen_bfloat16": FRAMEWORKS, "batch_bfloat16": FRAMEWORKS}
MODELS = Path("models")
WARM_UP, REQUESTS = 5, 30  # of a single image


def measure(task: str, name: str, folder: Path, file: Path, count: int) -> dict[str, float]:
    """Measure one task in a process of its own."""
    command = [sys.executable, "-m", "benchmark.speed.measure", task, name, str(folder), str(file), str(count),
               str(time.time())]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise ValueError(f"{name}, {task}: got exit status {done.returncode}; expected numbers:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def predict(name: str, image: Path) -> dict[str, float]:
    """Measure how long the saved classifier takes for one image: from the start of a program, and while it runs."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-m", "versus", "predict", "--models", MODELS, "--framework", name, image],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    cold = time.perf_counter() - begin
    worker, seconds = Worker(name, MODELS / name, params.load().compute.threads), []
    try:
        for _ in range(WARM_UP + REQUESTS):
            begin = time.perf_counter()
            worker.request([image])
            worker.answer()
            seconds.append(time.perf_counter() - begin)
    finally:
        worker.close()
    return {"image_cold": cold, "image_warm": statistics.median(seconds[WARM_UP:])}


def repetition(repeat: int, folder: Path, file: Path, count: int) -> Iterator[Row]:
    """Measure everything once."""
    image = dataset.read(folder, "validation").files[0]
    for task, names in (TASKS | {"predict": FRAMEWORKS}).items():
        for number in range(len(names)):
            name = names[(number + repeat) % len(names)]
            measured = predict(name, image) if task == "predict" else measure(task, name, folder, file, count)
            print(f"{repeat}: {task}, {name}: " + ", ".join(f"{key} {value:.4g}" for key, value in measured.items()),
                  flush=True)
            yield from (Row(measurement, name, repeat, value) for measurement, value in measured.items())


def sizes_on_disk() -> Iterator[Row]:
    """Measure what does not depend on time, once."""
    for name in NAMES:
        yield Row("installed", name, 0, sizes.installed(name, with_gpus=True))
        yield Row("installed_without_gpus", name, 0, sizes.installed(name, with_gpus=False))
    for name in FRAMEWORKS:
        yield Row("classifier", name, 0, sizes.classifier(name, MODELS))


def check(folder: Path) -> None:
    """Raise ValueError unless all is there that is measured."""
    needed = [folder / "train", folder / "validation", PRETRAINED,
              *(MODELS / path for path in sizes.CLASSIFIERS.values())]
    if missing := [str(path) for path in needed if not path.exists()]:
        raise ValueError(f"got no {', '.join(missing)}; expected a finished run, and a folder with images as "
                         "{train,validation}/<class>/*: run `dvc repro` first")


def main(folder: Path, images: int, repeats: int) -> None:
    check(folder)
    with TemporaryDirectory() as temporary:
        file = Path(temporary, "backbone.onnx")
        export = f"from benchmark.speed.contestants import export_backbone; export_backbone({str(file)!r})"
        subprocess.run([sys.executable, "-W", "ignore", "-c", export], stdout=subprocess.DEVNULL, check=True)
        rows = [row for repeat in range(repeats) for row in repetition(repeat, folder, file, images)]
    files.write("frameworks", [*rows, *sizes_on_disk()], {"images": images, "repeats": repeats})


def environment(name: str, default: str) -> str:
    """Return what `make benchmark NAME=…` sets."""
    return os.environ.get(name) or default


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path(environment("FOLDER", "data/split")),
                        help="images as {train,validation}/<class>/* (default: $FOLDER, or data/split)")
    parser.add_argument("--images", type=int, default=320, help="images to extract features of (default: 320)")
    parser.add_argument("--repeats", type=int, default=int(environment("REPEATS", "3")),
                        help="(default: $REPEATS, or 3)")
    run(lambda: main(**vars(parser.parse_args())))
