"""The whole pipeline for real, in a clone of the working tree: repeated, changed, killed, and shown by DVC.

The tests share one clone, small settings and their order: each leaves the clone as the first run did.
"""

import json
import math
import os
import re
import shutil
import subprocess

import pandas as pd
import pytest
import yaml

from tests.helpers import pipeline
from tests.helpers.paths import ROOT

STAGES = list(pipeline.stages())
CONFIGURATION = yaml.safe_load((ROOT / "dvc.yaml").read_text())
METRICS = CONFIGURATION["metrics"]
PLOTS = [name for plot in CONFIGURATION["plots"] if isinstance(plot, dict) for name in plot]
SHEETS = [plot for plot in CONFIGURATION["plots"] if isinstance(plot, str)]  # images


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The clone after its first run, and what `dvc repro` returned."""
    return pipeline.finished(tmp_path_factory)


@pytest.fixture
def clone(run):
    """The clone after its first run; what a test changes in it is undone."""
    clone, first = run
    assert first.returncode == 0, first.stdout
    yield clone
    clone.restore()


def test_a_run_after_two_kills_ends_well(run):
    clone, last = run  # killed in the middle of two stages before: see `pipeline.run_once`
    assert last.returncode == 0, last.stdout
    done = STAGES[:STAGES.index(list(pipeline.KILLED)[-1])]
    assert pipeline.ran(last.stdout) == set(STAGES) - set(done)
    assert "Traceback" not in last.stdout


def test_metrics_and_details_are_flat_and_finite(clone):
    for metrics in [*metrics_of(clone), *sorted(clone.folder.glob("metrics/details/*.json"))]:
        check_metrics(clone, metrics)


def metrics_of(clone):
    """The files of all registered metrics, some of which are folders; relative to the clone."""
    files = [file for path in METRICS for file in (sorted((clone.folder / path).glob("*")) or [clone.folder / path])]
    return [file.relative_to(clone.folder).as_posix() for file in files]


def check_metrics(clone, metrics):
    values = json.loads((clone.folder / metrics).read_text())
    assert values
    for name, value in values.items():
        assert isinstance(value, (int, float, str)) and not isinstance(value, bool), name
        assert isinstance(value, str) or math.isfinite(value), name


def test_second_run_does_nothing(clone):
    lock = clone.lock()
    assert clone.repro() == set()
    assert clone.lock() == lock
    assert "up to date" in clone.output("dvc", "status")
    assert clone.output("git", "status", "--short") == ""


@pytest.fixture(scope="module")
def twenty(run, tmp_path_factory):
    """Start an experiment with twenty classes and one validation image of each beside the next tests."""
    clone, _ = run
    copied = pipeline.Clone(tmp_path_factory.mktemp("twenty") / "clone")
    shutil.copytree(clone.folder, copied.folder, symlinks=True)
    changes = {"data.classes": 20, "data.per_class": 4, "model.image_size": 32, "extract.views": 1,
               "train.epochs": 1, "train.seeds": 1}
    settings = [word for name, value in changes.items() for word in ("-S", f"{name}={value}")]
    process = subprocess.Popen(["dvc", "exp", "run", "--name", "twenty", *settings], cwd=copied.folder,
                               env=copied.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    yield copied, process
    process.kill()


def test_what_changed_since_2018_is_explained_for_each_framework(clone):
    """The main pipeline's results stand; what the eras' stages say is in files of their own."""
    assert clone.repro("eras/dvc.yaml") == set()
    changes = {"keras": {"decode", "resize", "augment", "batch_norm"},
               "torch": {"decode", "augment", "adam"}}  # with decode and augment as Keras has them in either era
    for framework, changed in changes.items():
        shares = pd.read_csv(clone.folder / f"metrics/eras/{framework}.csv")
        assert set(shares[shares.kind == "convention"].name) == changed
        check_metrics(clone, f"metrics/eras/{framework}.json")
    said = clone.output("dvc", "repro", "--force", "--single-item", "eras/dvc.yaml:eras_keras")
    assert "From Keras 2018 (" in said and "Changed defaults with a significant share: " in said


def test_forced_run_writes_the_same_bytes(clone, twenty):
    """Everything is computed again, undisturbed; git sees dvc.lock and the metrics, dvc.lock the hash of all else."""
    assert clone.repro("--force") == set(STAGES)
    assert clone.output("git", "status", "--short") == ""
    assert "up to date" in clone.output("dvc", "status")


# (changes, targets, stages that run): the stages that come before the targets and are touched, and no other
CHANGES = {
    "margin": ({"compare.margin": 0.3}, [], {"check", "compare", "report"}),
    # the statistics of the explanation, but none of the training runs that they are of
    "resamples": ({"compare.bootstrap": 300}, [], {"check", "evaluate", "compare", "splits", "explain", "report"}),
    # with epsilon where Keras has it, Keras's heads stay what they were: its predictions are not computed again
    "adam": ({"conventions.adam": "keras"}, ["predict_keras", "predict_torch"],
             {"check", "train_keras", "train_torch", "predict_torch"}),
    "seed of the split": ({"split.seed": 1}, ["split"], {"check", "split"}),
    # only what is added to the split itself is taken away: in no time, since no framework is loaded
    "one split": ({"compare.splits": 1}, [], {"check", "splits_keras", "splits_torch", "splits", "report"}),
    # read by `download`, though not for drawn images: these come out the same, and only the report names the key
    "unused": ({"data.kaggle": "some/other/versions/2"}, [], {"check", "download", "report"}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_key_runs_what_depends_on_it(clone, change):
    changes, targets, expected = CHANGES[change]
    clone.set(changes)
    assert clone.repro(*targets) == expected


def test_a_comment_in_params_runs_nothing_but_the_check(clone):
    with open(clone.folder / "params.yaml", "a") as file:
        file.write("# a comment\n")
    assert clone.repro() == {"check"}


def test_other_words_and_other_statistics_train_nothing(clone):
    for module in [*clone.folder.glob("versus/report/[!_]*.py"), *clone.folder.glob("versus/evaluation/[!_]*.py")]:
        with open(module, "a") as file:
            file.write("# changed\n")
    assert clone.repro() == {"views", "evaluate", "gallery", "parity", "compare", "splits", "explain", "report"}


def test_an_unknown_key_stops_everything(clone):
    text = (clone.folder / "params.yaml").read_text().replace("  epochs:", "  epoch:")
    (clone.folder / "params.yaml").write_text(text)
    line = text[:text.index("  epoch:")].count("\n") + 1
    done = clone.run("dvc", "repro")
    assert done.returncode != 0
    assert f"params.yaml:{line}: train.epoch: unknown key; did you mean 'train.epochs'?" in done.stdout
    assert "Traceback" not in done.stdout
    assert pipeline.ran(done.stdout) == {"check"}


@pytest.mark.parametrize("relative", [False, True])
def test_images_of_a_folder_outside_come_and_go(clone, tmp_path, relative):
    folder, raw = tmp_path / "photographs", clone.folder / "data/raw"
    shutil.copytree(raw, folder)
    path = os.path.relpath(folder, clone.folder) if relative else str(folder)
    clone.set({"data.source": "folder", "data.folder": path})
    clone.repro("download")
    assert names(raw) == names(folder)
    first, *_ = sorted(folder.glob("*/*"))
    for change in (lambda: shutil.copyfile(first, first.with_name("new.jpg")), first.unlink):
        change()
        assert clone.repro("download") == {"download"}
        assert names(raw) == names(folder)


def names(folder):
    """The names of the images in a folder of classes."""
    return {path.relative_to(folder).as_posix() for path in folder.glob("*/*")}


@pytest.fixture
def fresh(clone, tmp_path):
    """A git clone of the clone, as of a colleague: without data and without a cache."""
    folder = tmp_path / "fresh"
    subprocess.run(["git", "clone", "--quiet", clone.folder, folder], check=True)
    return pipeline.Clone(folder)


DRIFT = ["dvc", "repro", "--dry", "--allow-missing"]


def test_drift_check_needs_no_data(fresh):
    assert pipeline.ran(fresh.output(*DRIFT)) == set()


@pytest.mark.parametrize("change", [{"train.learning_rate": 0.01}, {"compare.margin": 0.3}])
def test_drift_check_finds_changed_keys(fresh, change):
    fresh.set(change)
    assert fresh.run(*DRIFT).returncode != 0


def test_drift_check_finds_changed_code(fresh):
    with open(fresh.folder / "versus/report/console.py", "a") as file:
        file.write("# changed\n")
    assert fresh.run(*DRIFT).returncode != 0


def test_metrics_and_params_are_shown(clone):
    shown = clone.output("dvc", "metrics", "show")
    for metrics in metrics_of(clone):
        assert metrics in shown
        assert all(name in shown for name in json.loads((clone.folder / metrics).read_text()))
    assert "Verdict: " in clone.output("python", "-m", "versus", "show")
    clone.set({"train.epochs": 3})
    rows = [line.split() for line in clone.output("dvc", "params", "diff").splitlines()]
    assert rows == [["Path", "Param", "HEAD", "workspace"], ["params.yaml", "train.epochs", "2", "3"]]


def test_plots_are_shown(clone):
    clone.output("dvc", "plots", "show")
    page = (clone.folder / "dvc_plots/index.html").read_text()
    assert re.findall('<div id = "(.*?)"', page) == [re.sub(r"\W", "_", name) for name in PLOTS]
    assert page.count('"data": {"values": [{') == len(PLOTS)  # none is empty
    assert page.count("<img ") == len(SHEETS)


def test_sheets_of_images_stay_out_of_git_and_of_the_remote(clone, tmp_path):
    """The images may not be ours to hand out."""
    assert not set(clone.output("git", "ls-files").split()) & {*SHEETS, "reports/index.html"}
    assert "metrics/gallery.csv" in clone.output("git", "ls-files", "metrics").split()
    stages = yaml.safe_load(clone.lock())["stages"]
    hashes = {name: stages[name]["outs"][0]["md5"] for name in ("gallery", "views", "report")}
    clone.output("dvc", "remote", "add", "--default", "folder", str(tmp_path / "remote"))
    clone.output("dvc", "push", "gallery", "views", "report")
    pushed = {path.parent.name + path.name for path in (tmp_path / "remote").rglob("*") if path.is_file()}
    assert not pushed & set(hashes.values())


def test_an_experiment_with_twenty_classes(twenty):
    clone, process = twenty
    said, _ = process.communicate()
    assert process.returncode == 0, said
    assert pipeline.ran(said) == set(STAGES) - {"weights"}
    assert json.loads((clone.folder / "metrics/details/split.json").read_text())["classes"] == 20
    for metrics in metrics_of(clone):
        check_metrics(clone, metrics)
    rows = [line.split() for line in clone.output("dvc", "metrics", "diff").splitlines()]
    assert rows[0] == ["Path", "Metric", "HEAD", "workspace", "Change"]
    assert ["metrics/images.json", "value", "8", "20", "12"] in rows
    assert {row[0] for row in rows[1:]} <= set(metrics_of(clone))
    assert ",keras,torch,difference," in clone.output("dvc", "exp", "show", "--csv")
    assert "twenty" in clone.output("dvc", "exp", "show")
