"""Results of a run as users meet them: few metrics in DVC's tables, all else printed again, the same bytes anywhere."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml
from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

from tests.helpers import pipeline, results
from tests.helpers.paths import ROOT
from versus.__main__ import main

REGISTERED = yaml.safe_load((ROOT / "dvc.yaml").read_text("utf-8"))["metrics"]
NUMBERS = 20


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder in which the last stages ran, and what each of them printed."""
    folder = tmp_path_factory.mktemp("run")
    results.write_run(folder)
    return folder, results.run_stages(folder, *results.STAGES)


# python -m versus show

def test_show_prints_what_the_stages_printed(run, monkeypatch, capsys):
    folder, printed = run
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "80")
    main("show")
    sections = [printed[stage] for stage in ("compare", "parity", "explain", "compare_splits")]
    assert all(len(section) > 500 for section in sections[:-1])
    assert sections[-1] == "Only this split: compare.splits=5 repeats the comparison on others.\n"
    split = ("200 training and 90 validation images of 2 classes. Copies of validation images among the training "
             "images: 1; near-duplicates: 2; removed: 3. Files with problems: 1\n")
    assert capsys.readouterr().out == "\n".join([split, *sections])


def test_show_loads_neither_a_framework_nor_what_only_computing_needs(run):
    """So that it answers at once."""
    code = ("import sys; from versus.__main__ import main; main('show'); "
            "print(sorted({'torch', 'tensorflow', 'keras', 'sklearn', 'scipy'} & sys.modules.keys()))")
    done = subprocess.run([sys.executable, "-c", code], cwd=run[0], env=os.environ | {"PYTHONPATH": str(ROOT)},
                          text=True, capture_output=True)
    assert done.stdout.endswith("\n[]\n"), done.stdout[-200:] + done.stderr


def test_show_prints_what_there_is_and_says_what_is_missing(run, tmp_path, monkeypatch, capsys):
    shutil.copytree(run[0] / "metrics", tmp_path / "metrics")
    for name in ("compare.json", "explain.csv"):
        (tmp_path / "metrics/details" / name).unlink()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="^got no metrics/details/compare.json and no metrics/details/explain.csv; "
                                         "expected the results of a run: run `dvc repro`$"):
        main("show")
    printed = capsys.readouterr().out
    assert "200 training" in printed and "Largest differences" in printed and "Verdict" not in printed


# The same bytes on any processor

OLDER = {"OPENBLAS_CORETYPE": "Prescott",
         "NPY_DISABLE_CPU_FEATURES": " ".join(name for name in __cpu_dispatch__ if __cpu_features__[name])}
# the last bit of every probability is another one, as sums in another order make it
NOISE = """from dataclasses import replace
import numpy as np
from versus.artifacts import predictions_csv
def read(path, read=predictions_csv.read):
    exact = read(path)
    noise = np.random.default_rng(0).choice([-2.0 ** -53, 0, 2.0 ** -53], exact.probabilities.shape)
    return replace(exact, probabilities=exact.probabilities * (1 + 2 * noise))
predictions_csv.read = read
"""
UNROUNDED = "from versus.artifacts import metrics; metrics.DIGITS = metrics.EXACT = 17; metrics.SMALLEST = 0.0\n"


@pytest.mark.skipif(not OLDER["NPY_DISABLE_CPU_FEATURES"] or os.uname().machine != "x86_64",
                    reason="needs a processor that can behave as an older one")
def test_an_older_processor_writes_the_same_bytes(run, tmp_path):
    """With the instructions of 2004 sums have other last digits; every file in git is the same to the last byte."""
    files = {}
    for name, environment, before in (("older", OLDER, NOISE), ("unrounded", {}, UNROUNDED),
                                      ("older, unrounded", OLDER, NOISE + UNROUNDED)):
        results.write_run(folder := tmp_path / name)
        results.run_stages(folder, *results.STAGES, before=before, **environment)
        files[name] = results.written(folder)
    assert len(files["older"]) > 25 and files["older"] == results.written(run[0])
    differing = {name for name, content in files["unrounded"].items() if content != files["older, unrounded"][name]}
    assert {"metrics/details/compare.json", "metrics/details/explain.csv", "metrics/details/keras.json",
            "metrics/plots/waterfall.csv"} <= differing


def test_no_number_has_more_than_six_digits_or_is_a_negative_zero(run):
    for path, content in results.written(run[0]).items():
        for number in re.findall(r"(?<![\w.])-?\d+\.?\d*(?:e-?\d+)?(?![\w.])", content.decode()):
            digits = number.lstrip("-0.").partition("e")[0].replace(".", "")
            assert len(digits.rstrip("0")) <= 6, f"{path}: {number}"
            assert float(number) or not number.startswith("-"), f"{path}: {number}"
            assert path == "metrics/details/parity.json" or not 0 < abs(float(number)) < 1e-9, f"{path}: {number}"


# DVC's tables

STORE = """import json, shutil, yaml
changed = yaml.safe_load(open("params.yaml"))["train"]
shutil.rmtree("metrics", ignore_errors=True)
shutil.copytree("other" if changed["epochs"] != 3 else "one", "metrics")
"""


@pytest.fixture(scope="module")
def project(run, tmp_path_factory):
    """A DVC project whose only stage copies the metrics of one of two runs; committed with those of the first."""
    clone = pipeline.Clone(tmp_path_factory.mktemp("project"))
    other = tmp_path_factory.mktemp("other")
    results.write_run(other, seed=1, classes=3)
    results.run_stages(other, *results.STAGES)
    shutil.copytree(run[0] / "metrics", clone.folder / "one")
    shutil.copytree(other / "metrics", clone.folder / "other")
    shutil.copy(run[0] / "params.yaml", clone.folder)
    (clone.folder / "store.py").write_text(STORE)
    stage = {"cmd": "python store.py", "deps": ["store.py", "one", "other"],
             "params": ["train", "conventions", "model"], "outs": [{path: {"cache": False}} for path in REGISTERED]}
    (clone.folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"store": stage}, "metrics": REGISTERED}))
    clone.output("git", "init", "--quiet", "--initial-branch=main")
    clone.output("dvc", "init", "--quiet")
    clone.output("dvc", "repro")
    clone.commit()
    return clone


def lines_of(clone, *command):
    return [line.rstrip() for line in clone.output(*command).splitlines()]


def test_metrics_are_few_and_fit_120_columns(project):
    shown = lines_of(project, "dvc", "metrics", "show")
    assert len(shown) <= NUMBERS and max(map(len, shown)) <= 120
    numbers = [cell for line in shown[1:] for cell in re.split(r"\s{2,}", line)[1:] if cell != "-"]
    assert len(numbers) <= NUMBERS
    assert re.split(r"\s{2,}", shown[0]) == ["Path", "difference", "high", "keras", "low", "p", "torch", "value",
                                             "verdict"]


def test_a_diff_in_which_everything_changes_is_as_short(project):
    project.set({"train.epochs": 5})
    project.output("dvc", "repro")
    changed = lines_of(project, "dvc", "metrics", "diff")
    assert 10 < len(changed) - 1 <= NUMBERS and max(map(len, changed)) <= 120
    assert len(lines_of(project, "dvc", "metrics", "diff", "--all")) - 1 == NUMBERS
    project.restore()


def test_three_experiments_fit_160_columns(project):
    """`make experiments`: what was changed, accuracies and verdict; no hash of a file, no number that is the same."""
    changes = [["train.epochs=5"], ["train.epochs=7", "train.learning_rate=0.0001"],
               ["train.epochs=9", "train.seeds=20", "conventions.batch_norm=keras"]]
    for settings in changes:
        project.output("dvc", "exp", "run", *(word for each in settings for word in ("-S", each)))
    shutil.copy(ROOT / "Makefile", project.folder)
    project.environment["COLUMNS"] = "160"
    for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):  # of a `make test` around this
        project.environment.pop(name, None)
    shown = lines_of(project, "make", "--silent", "--assume-old", ".venv/installed", "experiments")
    assert max(map(len, shown)) <= 160 and "…" not in "".join(shown)
    heading, *rows = [line.split() for line in shown if "─" not in line or "[" in line]
    assert heading == ["Experiment", "keras", "torch", "difference", "verdict", "conventions.batch_norm",
                       "train.epochs", "train.learning_rate", "train.seeds"]
    assert len(rows) == 5  # the workspace, the commit and three experiments
    for value in ("0.0001", "20", "keras", "9"):
        assert any(value in row for row in rows)
