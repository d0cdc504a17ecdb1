"""Is a revision's classifier worse than another's? Planted changes, for real: commits of git, DVC's cache, forests."""

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml
from threadpoolctl import threadpool_limits

from tests.helpers import planted
from tests.helpers.pipeline import Clone
from tests.helpers.predictions import IMAGE, MIXED, World, predictions_of_two_classes
from versus.artifacts import predictions_csv
from versus.evaluation import gate
from versus.params import Compare

SETTINGS = Compare(margin=0.02, bootstrap=200, seed=0)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """The planted project, with a branch for each change."""
    return planted.finished(tmp_path_factory)


@pytest.fixture
def at(project):
    """Go to a branch; what a test changes there is undone."""
    def at(branch):
        project.output("git", "switch", "--quiet", branch)
        project.output("dvc", "checkout", "--quiet", "--force")
        return project
    yield at
    project.restore()


def judge(clone, *arguments):
    """Run the gate: its exit code and what it says."""
    done = clone.run("python", "-m", "versus", "gate", *arguments)
    assert "Traceback" not in done.stdout
    return done.returncode, done.stdout


# (branch, exit code, what is said of Keras and of PyTorch, verdict)
VERDICTS = {
    "worse": (1, "worse than at main, by more than the margin of 0.02. Accuracy 0.",
              "Its predictions are those of main.", "Gate: failed. Worse than at main: Keras."),
    "noise": (0, "not worse. The difference is noise", "not worse. The difference is noise", "Gate: passed."),
    "better": (0, "Its predictions are those of main.", "better than at main. Accuracy 0.", "Gate: passed."),
    "fewer-seeds": (2, "this revision has no predictions for the seeds 2; expected", "no predictions for the seeds 2",
                    "Gate: cannot tell"),
    "other-images": (2, "this revision has no predictions for the files", "Its predictions are those of main.",
                     "Gate: cannot tell"),
}


@pytest.mark.parametrize("branch", VERDICTS)
def test_planted_changes_are_judged(at, branch):
    code, *said = VERDICTS[branch]
    returned, printed = judge(at(branch))
    assert returned == code, printed
    for text, line in zip(said, printed.splitlines(), strict=True):
        assert text in line


def test_the_margin_is_that_of_this_revision(at):
    clone = at("worse")
    clone.set({"compare.margin": 0.3})  # no classifier depends on it
    assert judge(clone)[0] == 0
    assert "by less than the margin of 0.3" in judge(clone, "main")[1]


def test_any_revision_is_compared_with_any_other(at):
    clone = at("main")
    assert judge(clone, "worse")[0] == 0 and "Keras: better than at worse." in judge(clone, "worse")[1]
    assert judge(clone, clone.output("git", "rev-parse", "better").strip())[0] in (0, 1)
    assert judge(clone, "HEAD")[1].count("Its predictions are those of HEAD.") == 2


@pytest.mark.parametrize("revision", ["nowhere", "--output", "main:dvc.lock", ""])
def test_an_unknown_revision_cannot_be_judged(at, revision):
    code, printed = judge(at("main"), "--", revision)
    assert code == 2 and f"cannot tell: got the revision {revision!r}" in printed and "git fetch" in printed


def test_a_folder_without_git_cannot_be_judged(project, tmp_path):
    elsewhere = Clone(tmp_path)
    elsewhere.environment = project.environment
    code, printed = judge(elsewhere)
    assert code == 2 and "in which git finds no repository" in printed


def test_a_revision_before_the_pipeline_ran_cannot_be_judged(at):
    clone = at("main")
    clone.output("git", "checkout", "--quiet", "--orphan", "empty")
    clone.output("git", "commit", "--quiet", "--allow-empty", "--message", "nothing", "--only")
    clone.output("git", "switch", "--quiet", "--force", "main")
    code, printed = judge(clone, "empty")
    assert code == 2 and "got no data/predictions/keras.csv of empty" in printed


@pytest.fixture
def colleague(project, tmp_path):
    """A clone without data and without a cache."""
    subprocess.run(["git", "clone", "--quiet", "--branch", "worse", project.folder, tmp_path / "clone"], check=True)
    clone = Clone(tmp_path / "clone")
    clone.environment = project.environment
    return clone


def test_predictions_that_are_not_in_reach_are_told(colleague):
    code, printed = judge(colleague, "origin/main")
    assert code == 2 and "Gate: cannot tell" in printed
    assert "data/predictions/keras.csv of origin/main is not in DVC's cache, and no remote is configured" in printed
    assert "dvc pull data/predictions/keras.csv" in printed


@pytest.mark.parametrize("relative", [False, True])
def test_predictions_come_from_a_remote(project, colleague, tmp_path, relative):
    """Even if the other revision knew no remote."""
    shutil.copytree(project.folder / ".dvc" / "cache", tmp_path / "remote")
    url = "../remote" if relative else str(tmp_path / "remote")
    colleague.output("dvc", "remote", "add", "--default", "store", url)
    assert judge(colleague, "origin/main")[0] == 1
    assert not list(colleague.folder.glob("data/**/*.csv"))  # nothing was written


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/nothing", "/nowhere"])
def test_a_remote_that_does_not_answer_is_told(colleague, url):
    colleague.output("dvc", "remote", "add", "--default", "store", url)
    code, printed = judge(colleague, "origin/main")
    assert code == 2 and "neither in DVC's cache nor in reach at the remote store" in printed


@pytest.mark.parametrize("change", ["plant.json", "plant.py"])
def test_predictions_of_other_code_or_parameters_cannot_be_judged(at, change):
    clone = at("noise")
    with open(clone.folder / change, "a") as file:
        file.write("\n")
    code, printed = judge(clone)
    assert code == 2 and f"predict ({change})" in printed and "run `dvc repro` first" in printed


def test_edited_predictions_are_compared_as_they_are(at):
    clone = at("main")
    path = clone.folder / "data/predictions/torch.csv"
    path.unlink()  # it may be a link into the cache
    shutil.copyfile(clone.folder / "data/predictions/keras.csv", path)
    assert judge(clone)[0] == 0
    text = path.read_text().splitlines()
    path.write_text("\n".join(text[:-1]))
    code, printed = judge(clone)
    assert code == 2 and "Note: data/predictions/torch.csv is compared as it is here" in printed


def test_probabilities_in_an_array_come_from_the_cache_too(at, monkeypatch):
    clone = at("main")
    clone.output("git", "switch", "--quiet", "--create", "array")
    monkeypatch.setattr(predictions_csv, "MOST_IN_CSV", 0)
    path = clone.folder / "data/predictions/torch.csv"
    predictions = predictions_csv.read(path)
    path.unlink()
    predictions_csv.write(predictions, path)
    assert judge(clone)[0] == 0
    clone.output("dvc", "commit", "--force", "predict")
    clone.output("dvc", "add", "data/predictions/torch.npy")
    clone.commit()
    md5 = yaml.safe_load(Path(f"{path.with_suffix('.npy')}.dvc").read_text())["outs"][0]["md5"]
    clone.output("git", "switch", "--quiet", "main")
    clone.output("dvc", "checkout", "--quiet", "--force")
    assert not path.with_suffix(".npy").exists()
    code, printed = judge(clone, "array")
    assert code == 0 and "PyTorch: not worse. The difference is noise" in printed
    (clone.folder / ".dvc/cache/files/md5" / md5[:2] / md5[2:]).unlink()
    code, printed = judge(clone, "array")
    assert code == 2 and "data/predictions/torch.npy of array is not in DVC's cache" in printed


def test_worse_is_said_though_the_other_cannot_be_judged(at):
    clone = at("worse")
    path = clone.folder / "data/predictions/torch.csv"
    path.unlink()
    path.write_text("nothing")
    code, printed = judge(clone)
    assert code == 1 and "PyTorch: cannot tell. data/predictions/torch.csv: line 1: got no column" in printed


# error rates

def outcomes(difference, spreads=MIXED, simulations=100):
    """Simulate changes with a true difference in accuracy, 200 images and 5 seeds: how often each outcome is."""
    world, rng = World(spreads, 5, 200, difference), np.random.default_rng(0)
    results = []
    with threadpool_limits(1):
        for _ in range(simulations):
            before, now = (predictions_of_two_classes(1 / (1 + np.exp(-margins)), np.arange(200) % 2)
                           for margins in world.margins(rng, 5, 200))
            results.append(gate.judge(before, now, SETTINGS)["outcome"])
    return {each: results.count(each) / simulations for each in set(results)}


@pytest.mark.parametrize("spreads", [IMAGE, MIXED])
def test_a_change_without_a_loss_beyond_the_margin_hardly_ever_fails(spreads):
    """2.5 % at most in the long run, at the margin itself; of 100 that is 6 at most with 99 %."""
    assert outcomes(-SETTINGS.margin, spreads).get(gate.WORSE, 0) <= 0.06
    assert outcomes(0.0, spreads).get(gate.WORSE, 0) <= 0.01


def test_a_great_loss_fails():
    assert outcomes(-0.15).get(gate.WORSE, 0) >= 0.8
    assert outcomes(0.08).get(gate.WORSE, 0) == 0


def test_images_that_changed_sides_are_named():
    before = predictions_of_two_classes(np.array([[0.9, 0.9, 0.2, 0.9], [0.9, 0.9, 0.2, 0.9], [0.9, 0.1, 0.2, 0.9]]),
                                        np.array([0, 0, 1, 1]))
    now = predictions_of_two_classes(np.array([[0.9, 0.1, 0.8, 0.1], [0.9, 0.9, 0.8, 0.1], [0.1, 0.1, 0.2, 0.1]]),
                                     np.array([0, 0, 1, 1]))
    rows = gate.turned(before, now)
    assert list(rows.file) == ["predator/003.jpg", "predator/002.jpg", "alien/001.jpg"]
    assert list(rows.now.round(3)) == [0, 0.667, 0.333]
