"""`python -m versus reference`: a finished run is recorded, and after an upgrade one sentence says what it did."""

import hashlib
import json
import re
import shlex
import sys
from dataclasses import replace

import numpy as np
import pytest
import yaml

from tests.helpers.paths import ROOT
from tests.helpers.predictions import draw_predictions
from versus.__main__ import main, parser
from versus.artifacts import predictions_csv, references
from versus.command import run

PARAMS = {"train": {"seeds": 5, "epochs": 3}, "model.weights": "shared", "compute.threads": 2}


def finish(folder, changed=lambda name, predictions: predictions, params=PARAMS, images="images", part="validation"):
    """Write what a finished run leaves: predictions of both, changed by a function, and dvc.lock."""
    stages = {"split": {"outs": [{"path": "data/split", "md5": images}]}}
    for number, name in enumerate(("keras", "torch")):
        predictions = replace(draw_predictions(5, 400, 2, skill=4, rng=number), part=part)
        path = folder / f"data/predictions/{name}.csv"
        predictions_csv.write(changed(name, predictions), path)
        md5 = hashlib.md5(path.read_bytes()).hexdigest()
        outs = [{"path": f"data/predictions/{name}.csv", "md5": md5},
                {"path": f"data/features/{name}", "md5": md5}, {"path": f"models/{name}", "md5": "names versions"}]
        stages |= {f"train_{name}": {"params": {"params.yaml": params}, "outs": outs}}
    (folder / "dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": stages}))


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A repository with a reference, `sample`, of a finished run; the test's current folder."""
    for name in ("pyproject.toml", "params.yaml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    finish(tmp_path)
    references.write(references.of_run("sample")[0])
    return tmp_path


@pytest.fixture
def call(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["versus"])

    def call(*arguments):
        try:
            run(main, "reference", *arguments)
            code = 0
        except SystemExit as end:
            code = 1 if isinstance(end.code, str) else end.code
            print(end.code if code == 1 else "", file=sys.stderr)
        printed = capsys.readouterr()
        return code, printed.out + printed.err
    return call


def moved(predictions, images, seeds=slice(None)):
    """Swap the two classes' probabilities of some images."""
    probabilities = predictions.probabilities.copy()
    for seed in range(len(probabilities))[seeds]:
        probabilities[seed, images] = probabilities[seed, images][..., ::-1]
    return replace(predictions, probabilities=probabilities)


def of_torch(change):
    return lambda name, predictions: change(predictions) if name == "torch" else predictions


def rounded(predictions):
    return replace(predictions, probabilities=predictions.probabilities.round(6))


def same(predictions):
    return predictions


def a_few_flips(predictions):
    """One seed gets an image more wrong, another one an image less."""
    right, wrong = (np.flatnonzero(predictions.correct.all(axis=0) == is_right)[0] for is_right in (True, False))
    return moved(moved(predictions, right, slice(1)), wrong, slice(1, 2))


def a_tenth(predictions):
    return moved(predictions, np.flatnonzero(predictions.correct.all(axis=0))[:40])


def a_few_percent(predictions):
    """Two seeds change, by more than the margin, the others do not."""
    return moved(predictions, np.flatnonzero(predictions.correct.all(axis=0))[:24], seeds=slice(2))


@pytest.mark.parametrize("change, outcome, code", [
    (same, "the same bytes", 0),
    (rounded, "the same up to rounding", 0),
    (a_few_flips, "converges the same", 0),
    (a_tenth, "converges differently", 1),
    (a_few_percent, "cannot tell", 2),
])
def test_an_upgrade_is_judged_by_its_worst_competitor(place, call, change, outcome, code):
    finish(place, of_torch(change))
    for arguments in (("check",), ("check", "sample")):
        got, printed = call(*arguments)
        assert (got, printed.splitlines()[0]) == (code, f"Reference 'sample': {outcome}."), printed
        assert "\nKeras: the same bytes, accuracy 0." in printed
        assert f"\nPyTorch: {outcome}" in printed and "Versions since the reference: all the same." in printed


def test_the_figures_are_told(place, call):
    finish(place, of_torch(a_tenth))
    _, printed = call("check")
    before, now, difference, low, high = map(float, re.search(
        r"PyTorch: converges differently, accuracy (\S+) before, (\S+) now \((\S+); 95 % interval (\S+) to (\S+)\)",
        printed).groups())
    assert difference == pytest.approx(now - before, abs=1e-3) == -0.1 and low < difference < high < 0


@pytest.mark.parametrize("settings, words", [
    ({"params": PARAMS | {"train": {"seeds": 5, "epochs": 4}}}, "train.epochs: 4 instead of 3"),
    ({"params": PARAMS | {"model.hidden": 8}}, "model.hidden: 8 instead of 'missing'"),
    ({"images": "others"}, "the images of data/split, or their parts, are others"),
    ({"part": "test"}, "predictions of the test images instead of the validation images"),
])
def test_other_parameters_or_images_are_no_upgrade(place, call, settings, words):
    finish(place, **settings)
    for arguments in (("check",), ("check", "sample")):
        code, printed = call(*arguments)
        assert code == 2 and printed.startswith("Reference 'sample': cannot tell.") and words in printed


def test_the_number_of_threads_is_no_obstacle(place, call):
    finish(place, params=PARAMS | {"compute.threads": 8})
    assert call("check")[0] == 0


def test_the_reference_of_these_images_is_taken(place, call):
    finish(place, images="others")
    code, printed = call("write", "avp")
    assert code == 0 and printed.startswith("references/avp.json: accuracy on the validation images, mean of 5 seeds:")
    code, printed = call("check")
    assert code == 0 and "'avp'" in printed and "'sample'" not in printed


def test_versions_processor_and_python_are_told(place, call):
    path = place / "references/sample.json"
    values = json.loads(path.read_text())
    assert values["versions"]["torch"] and values["processor"] and set(values["results"]) == {"keras", "torch"}
    now = values["versions"]["torch"]
    values["versions"] |= {"torch": "2.9.1"}
    values |= {"processor": "abacus", "python": "3.10.0"}
    path.write_text(json.dumps(values))
    _, printed = call("check")
    assert f"torch 2.9.1 → {now}" in printed and "python 3.10.0 → 3." in printed and "reference's: abacus" in printed
    assert "keras" not in printed.split("Versions")[1]
    assert "unless `dvc repro --force` ran since" in printed  # nothing tells that it did
    finish(place, of_torch(rounded))
    assert "--force" not in call("check")[1]


def test_what_is_written_is_what_the_run_gave(place):
    reference, predictions = references.of_run("sample")
    assert references.read("sample") == reference
    for name, results in reference.results.items():
        assert (results.correct(predictions[name].files) == predictions[name].correct).all()
        assert results.accuracy == predictions[name].correct.mean(axis=1).round(6).tolist()
    assert reference.params == {"train.seeds": 5, "train.epochs": 3, "model.weights": "shared"}
    for number in re.findall(r"\d+\.\d+", json.dumps(json.loads((place / "references/sample.json").read_text())
                                                     ["results"])):
        assert len(number.replace(".", "").lstrip("0")) <= 6


@pytest.mark.parametrize("arguments, spoil, words", [
    (["write", "a/b"], None, "got the name 'a/b'"),
    (["check", "none"], None, "there is no references/none.json; expected one of the references that exist (sample)"),
    (["check"], "dvc.lock", "dvc.lock: names no predictions"),
    (["write", "other"], "data/predictions/torch.csv", "data/predictions/torch.csv: not the file that dvc.lock names"),
    (["check"], "references/sample.json", "references/sample.json: got a file that is no reference"),
])
def test_what_is_no_finished_run_or_no_reference_is_refused(place, call, arguments, spoil, words):
    if spoil:
        (place / spoil).write_text("spoiled")
    code, printed = call(*arguments)
    assert code == (2 if arguments[0] == "check" else 1) and words in printed and "Traceback" not in printed
    assert [path.name for path in (place / "references").iterdir()] == ["sample.json"]


def test_without_references_nothing_can_be_told(place, call):
    (place / "references/sample.json").unlink()
    code, printed = call("check")
    assert code == 2 and "no references yet" in printed


def test_the_scheduled_workflow_calls_what_there_is():
    workflow = yaml.safe_load((ROOT / ".github/workflows/upgrade.yml").read_text())
    scripts = "\n".join(step.get("run", "") for job in workflow["jobs"].values() for step in job["steps"])
    commands = re.findall(r"python -m versus (reference check[^|&;>\n]*)", scripts)
    assert commands
    for command in commands:
        assert parser().parse_args(shlex.split(command)).name == "sample"
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"\bmake ([\w./-]+)", scripts):
        assert f"\n{target}:" in makefile
