"""The frameworks' own recipes run, and `compare` tells a strayed emulation from a faithful one."""

import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest

from benchmark.recipes import compare
from tests.conftest import smooth_image
from tests.helpers.paths import ROOT
from tests.test_replication import runs_of
from versus.artifacts import predictions_csv

CLASSES = ["alien", "predator"]


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    """A folder {train,validation}/<class>/* of a few small images."""
    folder = tmp_path_factory.mktemp("split")
    for part, images in (("train", 4), ("validation", 2)):
        for name in CLASSES:
            (folder / part / name).mkdir(parents=True)
            for number in range(images):
                image = smooth_image([number, len(name), images], (40 + number, 32))
                image.save(folder / part / name / f"{number}.jpg")
    return folder


def check_run(result):
    """What a recipe prints: probabilities of all validation images, and scores that follow from them."""
    assert result["classes"] == CLASSES and result["seed"] == 1 and result["seconds"] > 0
    assert sorted(result["probabilities"]) == [f"{name}/{number}.jpg" for name in CLASSES for number in range(2)]
    own = {file: row[CLASSES.index(file.partition("/")[0])] for file, row in result["probabilities"].items()}
    assert len(set(own.values())) == len(own)  # so that a mistaken order of the files would show
    assert all(sum(row) == pytest.approx(1, abs=1e-5) for row in result["probabilities"].values())
    assert result["accuracy"] == np.mean([value > 0.5 for value in own.values()])
    assert result["log_loss"] == pytest.approx(-np.mean(np.log(list(own.values()))), rel=1e-4)


def test_the_keras_recipes_run(split, tmp_path):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    for module in (["stages.weights"], ["benchmark.recipes.export_backbone", "lite0.keras"]):
        subprocess.run([sys.executable, "-m", *module], cwd=tmp_path, check=True,
                       env=os.environ | {"PYTHONPATH": str(ROOT)})
    subprocess.run([sys.executable, "-m", "tests.helpers.run_keras_recipes", split, tmp_path / "lite0.keras", tmp_path],
                   cwd=ROOT, check=True)
    results = {path.stem: json.loads(path.read_text("utf-8")) for path in tmp_path.glob("*.json")}
    batch_norm = results.pop("batch_norm_2018")
    for result in results.values():
        check_run(result)
    assert len({result["recipe"] for result in results.values()}) == 3
    assert results["keras"]["probabilities"] != results["keras_2018"]["probabilities"]
    # a frozen layer trains on the statistics of the batch, predicts with the stored ones, and leaves these alone
    assert batch_norm["training"] < 1e-5 and batch_norm["inference"] < 1e-5 and batch_norm["moved"] == 0


def test_the_torch_recipe_runs(split):
    command = [sys.executable, ROOT / "benchmark/recipes/torch_recipe.py", split, "--seed", "1", "--epochs", "1"]
    check_run(json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1]))


@pytest.mark.parametrize("recipe", ["keras_recipe.py", "keras_today_recipe.py", "torch_recipe.py"])
def test_a_recipe_imports_nothing_of_this_project(recipe):
    assert not re.search(r"^\s*(from|import) (versus|benchmark|stages|tests)",
                         (ROOT / "benchmark" / "recipes" / recipe).read_text("utf-8"), re.MULTILINE)


def written(predictions, folder):
    """Write each run as a recipe prints it."""
    for seed, probabilities in enumerate(predictions.probabilities):
        run = {"recipe": "simulated", "seed": seed, "classes": CLASSES,
               "probabilities": dict(zip(predictions.files, probabilities.tolist()))}
        (folder / f"{seed}.json").write_text(json.dumps(run), "utf-8")
    return sorted(folder.glob("*.json"))


@pytest.mark.parametrize("skill, between, runs, status, sentence", [
    (3.0, 0.25, 20, 0, "The pipeline does what the recipe does."),
    (2.0, 0.25, 20, 1, "The pipeline strays from what the recipe does."),
    (3.0, 0.02, 20, 1, "The pipeline strays from what the recipe does."),  # its runs spread too little
    (3.0, 0.25, 3, 2, compare.UNDECIDED),
])
def test_a_strayed_emulation_is_told_from_a_faithful_one(tmp_path, capsys, skill, between, runs, status, sentence):
    generator = np.random.default_rng(5)
    recipes = written(runs_of(runs, 400, generator), tmp_path)
    predictions_csv.write(runs_of(20, 400, generator, skill, between), tmp_path / "ours.csv")
    assert compare.main(tmp_path / "ours.csv", recipes, 0.03, 0.05) == status
    output = capsys.readouterr().out
    assert output.splitlines()[-1] == sentence and f"simulated, {runs} runs" in output
    assert output.count("recipe 0.") == 2 and output.count("spread between runs") == 2


def test_runs_with_other_views_count_together(tmp_path, capsys):
    generator = np.random.default_rng(5)
    paths = [tmp_path / f"views-{number}.csv" for number in range(2)]
    for path in paths:
        predictions_csv.write(runs_of(20, 400, generator), path)
    (tmp_path / "recipes").mkdir()
    compare.main(paths[0], written(runs_of(4, 400, generator), tmp_path / "recipes"), 0.03, 0.05, paths[1:])
    assert "views-1.csv), 40 runs" in capsys.readouterr().out
    predictions_csv.write(runs_of(2, 20, generator), paths[1])
    with pytest.raises(ValueError, match="got predictions of different images"):
        compare.read_pipeline(paths)


def test_runs_of_two_recipes_are_refused(tmp_path):
    recipes = written(runs_of(2, 20, np.random.default_rng(0)), tmp_path)
    other = json.loads(recipes[0].read_text("utf-8")) | {"recipe": "another"}
    recipes[0].write_text(json.dumps(other), "utf-8")
    with pytest.raises(ValueError, match="another, simulated; expected one recipe"):
        compare.read_runs(recipes)
