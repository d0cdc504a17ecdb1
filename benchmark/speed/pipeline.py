"""Measure the pipeline, from cold, against the recipes as their authors wrote them.

    python -m benchmark.speed.pipeline data/split

Everything counts from the start of the first process to the end of the last. The pipeline runs in copies of this
repository that have nothing of earlier runs, up to the comparison, with one seed and with ten; after ten come the other
stages, then `explain`. One seed and ten seeds of both frameworks are what recipes do that run once and ten times.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmark.recipes import run as recipes
from benchmark.speed import files
from benchmark.speed.files import Row
from benchmark.speed.frameworks import check, environment
from benchmark.speed.workspace import Workspace
from versus.command import run
from versus.images import dataset

RECIPES = {"keras_2018": ["keras_recipe.py", "--batch-norm", "2018"], "keras_today": ["keras_today_recipe.py"],
           "torch": ["torch_recipe.py"]}
OTHERS = ("parity", "gallery", "views", "splits")


def recipe(name: str, folder: Path, backbone: Path) -> list[Row]:
    """Run one recipe once."""
    script, *arguments = RECIPES[name]
    inputs = [folder] if name == "torch" else [folder, backbone]
    begin = time.perf_counter()
    done = subprocess.run([sys.executable, recipes.HERE / script, *inputs, *arguments], capture_output=True, text=True)
    seconds = time.perf_counter() - begin
    if done.returncode:
        raise ValueError(f"{script}: got exit status {done.returncode}; expected a run:\n{done.stderr[-2000:]}")
    return [Row("recipe", name, 0, seconds)]


def pipeline(seeds: int, folder: Path, target: Path, explained: bool) -> Iterator[Row]:
    """Run the pipeline once on the images of `folder`: with ten seeds all stages, `explain` only if `explained`."""
    workspace = Workspace(target, {
        "data.source": "folder", "data.folder": str(folder.resolve()), "data.labels": "", "data.groups": "",
        "split.published": True, "train.seeds": seeds, "explain.seeds": 10})
    seconds, stages = workspace.repro("compare")
    if seeds == 1:
        yield Row("pipeline", "one_seed", 0, seconds)
        return
    yield Row("pipeline", "ten_seeds", 0, seconds)
    parts = {"others": OTHERS} | ({"explain": ("explain",), "report": ("report",)} if explained else {})
    for part, targets in parts.items():
        seconds, of_part = workspace.repro(*targets)
        stages |= of_part
        yield Row("pipeline", part, 0, seconds)
    yield from (Row("stage", name, 0, seconds) for name, seconds in stages.items())


def main(folder: Path, repeats: int, explained: bool) -> None:
    check(folder)
    counts = {part: len(dataset.read(folder, part).files) for part in dataset.parts(folder)}
    rows = []
    with TemporaryDirectory() as temporary:
        backbone = Path(temporary, "lite0.keras")
        subprocess.run([sys.executable, "-m", "benchmark.recipes.export_backbone", backbone], check=True)
        for repeat in range(repeats):
            contestants: dict[str, Callable] = {
                name: lambda name=name: recipe(name, folder, backbone) for name in RECIPES}
            for seeds in (1, 10):
                target = Path(temporary, f"{repeat}-{seeds}")
                contestants[f"{seeds} seeds"] = lambda seeds=seeds, target=target: pipeline(seeds, folder, target,
                                                                                          explained)
            names = list(contestants)
            for number in range(len(names)):
                for row in contestants[names[(number + repeat) % len(names)]]():
                    print(f"{repeat}: {row.measurement}, {row.of}: {row.value:.1f} s", flush=True)
                    rows.append(row._replace(repeat=repeat))
            files.write("pipeline", rows, counts | {"repeats": repeat + 1})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path(environment("FOLDER", "data/split")),
                        help="images as {train,validation}/<class>/* (default: $FOLDER, or data/split)")
    parser.add_argument("--repeats", type=int, default=int(environment("REPEATS", "3")),
                        help="(default: $REPEATS, or 3)")
    parser.add_argument("--without-explain", dest="explained", action="store_false",
                        help="leave out the longest stages, combinations and explain, and the report")
    run(lambda: main(**vars(parser.parse_args())))
