"""The benchmark runs for real on a few images, its ratios are those of its numbers, and pages show them."""

import json
import os
import re
import subprocess
import sys
import time

import pandas as pd
import pytest
import yaml

from benchmark.speed import files, growth, sizes, summary
from benchmark.speed.workspace import Workspace
from tests.helpers import pages, pipeline
from tests.helpers.paths import ROOT
from tests.helpers.processes import PATIENT
from tests.helpers.processors import needs_bfloat16
from tests.helpers.stages import run_stage
from versus.artifacts import metrics
from versus.report import documentation, figures, speed

ENVIRONMENT = os.environ | PATIENT | {"PYTHONPATH": str(ROOT)}
AGREE = """
import sys
import numpy as np
from pathlib import Path
from benchmark.speed.contestants import contestant, export_backbone
from benchmark.speed.measure import images_of
from versus import params
export_backbone("backbone.onnx")
settings, features = params.load(), []
images, labels, classes = images_of(Path(sys.argv[1]), 5, settings)
for name in ("torch", "onnxruntime"):
    one = contestant(name, settings, Path("backbone.onnx"))
    one.build("frozen")
    features.append(one.extract(images))
difference = np.linalg.norm(features[0] - features[1]) / np.linalg.norm(features[0])
assert features[0].shape == (5, 1280) and difference < 1e-5, difference
"""


def table(rows):
    return pd.DataFrame([files.Row(*row) for row in rows])


# arithmetic

def test_ratios_are_taken_within_a_repetition_and_above_1_the_first_is_better():
    """Of rates more is better, of all else less; a machine that slows down between repetitions changes no ratio."""
    rates = [("images_frozen", name, repeat, value * slower) for repeat, slower in enumerate((1, 0.5, 0.1))
             for name, value in (("keras", 80), ("torch", 40 + repeat), ("onnxruntime", 100))]
    costs = [("memory_frozen", "torch", 0, 300), ("memory_frozen", "keras", 0, 400)]
    ratios = {row[:3]: row[3:] for row in summary.of_frameworks(table(rates + costs))}
    assert ratios == {
        ("images_frozen", "keras", "torch"): (1.951, 1.905, 2.0, 3),
        ("images_frozen", "keras", "onnxruntime"): (0.8, 0.8, 0.8, 3),
        ("images_frozen", "torch", "onnxruntime"): (0.41, 0.4, 0.42, 3),
        ("memory_frozen", "keras", "torch"): (0.75, 0.75, 0.75, 1),
    }


def test_bfloat16_and_batch_norm_of_the_batch_are_compared_with_their_likes():
    rates = {"images_frozen": (100, 90, 120), "images_batch": (60, 70), "images_frozen_bfloat16": (150, 180),
             "images_batch_bfloat16": (60, 84)}
    rows = [(measurement, name, 0, value) for measurement, values in rates.items()
            for name, value in zip(("keras", "torch", "onnxruntime"), values)]
    assert {row[:3]: row[3] for row in summary.of_conditions(table(rows))} == {
        ("bfloat16_frozen", "keras", "full"): 1.5, ("bfloat16_batch", "keras", "full"): 1.0,
        ("images_batch", "keras", "onnxruntime_frozen"): 0.5, ("bfloat16_frozen", "torch", "full"): 2.0,
        ("bfloat16_batch", "torch", "full"): 1.2, ("images_batch", "torch", "onnxruntime_frozen"): 0.583}
    without = [row for row in rows if "bfloat16" not in row[0]]
    assert {row[0] for row in summary.of_conditions(table(without))} == {"images_batch"}
    assert not speed.bfloat16(pd.DataFrame([("images_batch", "keras", "torch", 1, 1, 1, 1)],
                                           columns=summary.COLUMNS)).rows


def test_the_pipeline_is_compared_with_the_sum_of_both_recipes():
    rows = [("recipe", "keras_2018", 0, 40), ("recipe", "keras_today", 0, 20), ("recipe", "torch", 0, 80),
            ("pipeline", "one_seed", 0, 60), ("pipeline", "ten_seeds", 0, 80), ("pipeline", "others", 0, 10),
            ("pipeline", "explain", 0, 150), ("pipeline", "report", 0, 10), ("stage", "split", 0, 30),
            ("stage", "explain", 0, 90)]
    ratios = {row[:3]: row[3] for row in summary.of_pipeline(table(rows))}
    assert ratios == {
        ("recipe_2018", "keras", "torch"): 2, ("recipe_today", "keras", "torch"): 4,
        ("one_seed", "pipeline", "recipes_2018"): 2, ("ten_seeds", "pipeline", "recipes_2018"): 15,
        ("one_seed", "pipeline", "recipes_today"): 1.667, ("ten_seeds", "pipeline", "recipes_today"): 12.5,
        ("explain", "explain", "rest"): 1.5, ("stage", "explain", "all"): 0.75, ("stage", "split", "all"): 0.25,
    }
    without = table([row for row in rows if row[1] not in ("explain", "report")])
    assert not {row[0] for row in summary.of_pipeline(without)} & {"explain"}


def test_the_committed_ratios_are_those_of_the_committed_numbers(tmp_path, monkeypatch):
    monkeypatch.setattr(summary, "SPEED", tmp_path / "speed.csv")
    monkeypatch.chdir(tmp_path)
    summary.main()
    assert (tmp_path / "speed.csv").read_text() == (ROOT / "benchmark/speed/speed.csv").read_text()


# words

def ratios(*rows):
    return pd.DataFrame([("images_frozen", "keras", "torch", *row, 3) for row in rows], columns=summary.COLUMNS)


@pytest.mark.parametrize("values, who, said", [
    ((1.25, 1.2, 1.3), "Keras better", "Keras runs 1.25 (1.20 to 1.30) times as fast."),
    ((0.5, 0.4, 0.8), "PyTorch better", "PyTorch runs 2.00 (1.25 to 2.50) times as fast."),
    ((1.1, 0.9, 1.2), "about equal", "Keras runs 1.10 (0.90 to 1.20) times as fast (about equal)."),
    ((1.04, 1.03, 1.05), "about equal", "Keras runs 1.04 (1.03 to 1.05) times as fast (about equal)."),
    ((0.97, 0.96, 0.98), "about equal", "Keras runs 0.97 (0.96 to 0.98) times as fast (about equal)."),
    ((1.5, 1.5, 1.5), "Keras better", "Keras runs 1.50 times as fast."),
])
def test_words_say_who_is_better_in_every_repetition(values, who, said):
    row = ratios(values).iloc[0]
    assert speed.better(row) == who and speed.sentence(row, "runs") == said


def test_all_that_was_measured_has_words(monkeypatch):
    monkeypatch.chdir(ROOT)
    rows = speed.read()
    frameworks = rows[(rows.one == "keras") & (rows.other == "torch")]
    assert set(frameworks.measurement) == set(speed.WORDS)
    assert len(speed.table(rows).rows) == len(speed.WORDS) and len(speed.sentences(rows)) == 3


def test_the_plot_shows_the_committed_ratios(monkeypatch):
    monkeypatch.chdir(ROOT)
    drawn = figures.svg(speed.SPEED, speed.drawn(speed.read()))
    labels = [sorted(re.findall(r"<text[^>]*>([^<]+)</text>", svg))
              for svg in (drawn, (ROOT / documentation.SPEED).read_text(encoding="utf-8"))]
    assert labels[0] == labels[1], "run `make docs`"
    assert {speed.WORDS[name] for name in speed.DRAWN} <= set(labels[0])


def test_the_report_shows_them_where_they_are(tmp_path):
    page, _ = pages.write(tmp_path, explained=False)
    assert "Which is faster" not in page
    target = tmp_path / speed.FILE
    target.parent.mkdir(parents=True)
    target.write_bytes((ROOT / speed.FILE).read_bytes())
    assert run_stage("report", tmp_path).returncode == 0
    page = (tmp_path / "reports/index.html").read_text("utf-8")
    assert '<section id="speed"' in page and all(words in page for words in speed.WORDS.values())


# measurements

@pytest.fixture(scope="module")
def workspace(photographs, tmp_path_factory):
    """A folder with params.yaml, the backbone's weights and data/split of a few images."""
    folder = tmp_path_factory.mktemp("speed")
    (folder / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    (folder / "data/split").mkdir(parents=True)
    (folder / "data/split/train").symlink_to(photographs)
    subprocess.run([sys.executable, "-m", "stages.weights"], cwd=folder, env=ENVIRONMENT, check=True)
    return folder


def measure(folder, *arguments):
    done = subprocess.run([sys.executable, "-m", "benchmark.speed.measure", *arguments, str(time.time())], cwd=folder,
                          env=ENVIRONMENT, text=True, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_a_framework_is_measured(workspace):
    measured = measure(workspace, "frozen", "torch", "data/split", "none.onnx", "8")
    assert set(measured) == {"images_frozen", "memory_frozen", "start_import", "start_ready", "steps_whole"}
    assert 0 < measured["start_import"] < measured["start_ready"] < 120
    assert 50 < measured["memory_frozen"] < 10000
    # an epoch of one step takes longer than the features of its 8 images
    assert 0 < measured["steps_whole"] < measured["images_frozen"] / 8 < 1000


@needs_bfloat16
def test_bfloat16_is_measured(workspace):
    measured = measure(workspace, "frozen_bfloat16", "torch", "data/split", "none.onnx", "8")
    assert set(measured) == {"images_frozen_bfloat16"} and measured["images_frozen_bfloat16"] > 1


def test_the_head_is_measured(workspace):
    measured = measure(workspace, "head", "torch", "data/split", "none.onnx", "8")
    assert set(measured) == {"steps_head"} and measured["steps_head"] > 1


def test_onnxruntime_computes_the_same_features(workspace):
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    subprocess.run([sys.executable, "-W", "ignore", "-c", AGREE, "data/split"], cwd=workspace, env=ENVIRONMENT,
                   check=True)


def test_packages_are_a_framework_with_all_that_it_needs():
    keras, torch = sizes.packages("keras"), sizes.packages("torch")
    assert {"keras", "tensorflow", "h5py", "numpy"} <= keras and not {"torch", "dvc"} & keras
    assert {"torch", "torchvision", "numpy"} <= torch and "tensorflow" not in torch
    assert sizes.installed("torch", with_gpus=True) >= sizes.installed("torch", with_gpus=False) > 100


def test_a_workspace_runs_the_pipeline_with_other_parameters(tmp_path):
    workspace = Workspace(tmp_path / "copy", {"train.seeds": 1})
    assert yaml.safe_load((tmp_path / "copy/params.yaml").read_text())["train"]["seeds"] == 1
    seconds, stages = workspace.repro("check")
    assert set(stages) == {"check"} and 0 < stages["check"] < seconds
    with pytest.raises(ValueError, match="dvc repro nothing: got exit status"):
        workspace.repro("nothing")


def test_growth_is_a_table(tmp_path):
    output = tmp_path / "growth.csv"
    subprocess.run([sys.executable, "-m", "benchmark.speed.growth", "--images", "--seeds", "1", "--epochs",
                    "--classes", "--predictions", "--frameworks", "torch", "--output", output],
                   cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.DEVNULL, check=True)
    rows = metrics.read_table(output)
    assert rows.part.tolist() == ["heads in torch", "predictions", "comparison"]
    assert (rows[["seconds", "memory"]] > 0).all(axis=None) and (rows.written > 0).tolist() == [False, True, False]
    assert rows[list(growth.BASE)].drop_duplicates().values.tolist() == [[1000, 1, 3, 2]]
    assert set(rows.probabilities) == {1 * 250 * 2}


def test_growth_is_told_against_the_smallest():
    rows = pd.DataFrame([("images", part, number, 1, 3, 2, 500, seconds, 100.0, 0.0)
                         for number, factor in ((1000, 1), (10000, 9)) for part, seconds in
                         (("split", 2 * factor), ("train", 5 + factor))], columns=growth.COLUMNS)
    assert speed.growth(rows).rows == [
        ["images", "1,000", "split", "1.0", "100", ""], ["images", "10,000", "split", "9.0", "100", ""],
        ["images", "1,000", "train", "1.0", "100", ""], ["images", "10,000", "train", "2.3", "100", ""]]


def test_the_pipeline_does_not_start_the_benchmark():
    """DVC runs whatever makes what a stage depends on, in other files of stages, too."""
    stages = pipeline.stages(ROOT / "benchmark/speed")
    outs = {path for stage in stages.values() for out in stage.get("outs", ()) for path in out}
    deps = {dep for stage in pipeline.stages().values() for dep in stage["deps"]}
    assert len(outs) == 4 and not outs & deps and speed.FILE.as_posix() in deps
    code = {dep for stage in stages.values() for dep in stage["deps"]} - outs
    assert code - {path for path in code if (ROOT / path).exists()} <= {"data/split", "models"}
