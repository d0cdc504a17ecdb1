"""Run the recipes of an era on the pipeline's images, and compare: python -m benchmark.recipes.run data/split.

Each run is a process of its own, one to three minutes for Alien vs. Predator. Exit status: the greatest of `compare`'s.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from benchmark.recipes import compare
from versus.command import run

HERE = Path(__file__).parent
RECIPES = {  # of each era, by competitor, with its options
    "today": {"keras": ["keras_today_recipe.py"], "torch": ["torch_recipe.py"]},
    "2018": {"keras": ["keras_recipe.py", "--batch-norm", "2018"], "torch": ["torch_recipe.py"]},
}


def run_recipe(script: str, arguments: list[str], output: Path) -> Path:
    """Run a script with `arguments`, and write the JSON that it prints last to `output`; return that path."""
    done = subprocess.run([sys.executable, HERE / script, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"{script}: got exit status {done.returncode}; expected a run's JSON:\n{done.stderr[-2000:]}")
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(done.stdout.splitlines()[-1] + "\n", "utf-8")  # Keras's loaders print before it
    result = json.loads(output.read_text("utf-8"))
    print(f"{result['recipe']}, seed {result['seed']}: accuracy {result['accuracy']:.3f}, "
          f"log loss {result['log_loss']:.3f}, {result['seconds']:.0f} s", flush=True)
    return output


def main(folder: Path, era: str, seeds: int, predictions: Path, results: Path, margin: float,
         log_loss_margin: float) -> int:
    """Run and compare both competitors' recipes; return the exit status."""
    if not all((folder / part).is_dir() for part in ("train", "validation")):
        raise ValueError(f"got the folder {str(folder)!r}; expected {{train,validation}}/<class>/*, such as data/split "
                         "after `dvc repro`")
    results.mkdir(parents=True, exist_ok=True)
    backbone = results / "lite0.keras"
    if subprocess.run([sys.executable, "-m", "benchmark.recipes.export_backbone", backbone]).returncode:
        raise ValueError("got no backbone to export; expected models/backbone.safetensors: run `dvc repro weights`")
    status = 0
    for name, (script, *arguments) in RECIPES[era].items():
        files = [str(folder), *([str(backbone)] if name == "keras" else [])]
        runs = [run_recipe(script, [*files, *arguments, "--seed", str(seed)], results / era / f"{name}-{seed}.json")
                for seed in range(seeds)]
        status = max(status, compare.main(predictions / f"{name}.csv", runs, margin, log_loss_margin))
    return status


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="{train,validation}/<class>/*: the images of the pipeline's run")
    parser.add_argument("--era", choices=list(RECIPES), default="today", help="conventions.era of the pipeline's run")
    parser.add_argument("--seeds", type=int, default=5, help="runs of each recipe")
    parser.add_argument("--predictions", type=Path, default=Path("data/predictions"), help="folder of the pipeline's")
    parser.add_argument("--results", type=Path, default=HERE / "results", help="folder for the runs")
    compare.add_margins(parser)
    run(lambda: sys.exit(main(**vars(parser.parse_args()))))
