"""References: what a finished run gave, and with which versions, as references/<name>.json in git.

A reference holds what a later run is compared with: parameters, hashes, and of each competitor and seed the accuracy,
the log loss and the images that it got wrong. `of_run` collects the same of the run in the current folder. What the run
did is taken from dvc.lock, not from params.yaml, which may have been changed since.
"""

import hashlib
import json
import os
import platform
import re
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from versus.artifacts import lock, metrics, predictions_csv
from versus.artifacts.predictions import Predictions, PredictionsError

FOLDER = Path("references")
STAGES = ("weights", "extract", "train", "predict")  # those that the predictions come from; <stage>_<competitor>
IRRELEVANT = {"compute.threads", "compare.part"}  # of the machine; and said by the images
PREDICTIONS = "data/predictions/"  # their CSV files: the arrays beside them say the same
COMPUTED = ("data/features", "data/training", PREDICTIONS)  # without the models, whose files name versions


class ReferencesError(ValueError):
    """A reference that is not there or cannot be used, or a run that is not finished."""


@dataclass(frozen=True)
class Results:
    """What one competitor's training runs gave for the same images."""

    accuracy: list[float]        # of each seed
    log_loss: list[float]        # of each seed
    wrong: dict[str, list[int]]  # the images that some seed got wrong: the places of those seeds in the lists above

    def correct(self, files: tuple[str, ...]) -> np.ndarray:
        """Return whether each prediction was right, (seeds, images) bool, for images in the order of `files`."""
        right = np.ones((len(self.accuracy), len(files)), bool)
        for column, file in enumerate(files):
            right[self.wrong.get(file, []), column] = False
        return right


@dataclass(frozen=True)
class Reference:
    """A finished run, and what it was run with."""

    name: str
    python: str
    versions: dict[str, str]      # of the packages that pyproject.toml names
    processor: str
    params: dict[str, Any]        # {"section.key": value}, those that the predictions depend on
    part: str                     # of the split, whose images are predicted
    images: str                   # hash of all images of the split
    outputs: dict[str, str]       # {path: hash}, as in dvc.lock
    results: dict[str, Results]   # of each competitor

    def computed(self, competitor: str) -> dict[str, str]:
        """Return the hashes of one competitor's features, trained heads and predictions."""
        return {path: md5 for path, md5 in self.outputs.items()
                if path.startswith(COMPUTED) and Path(path).stem == competitor}


def read(name: str) -> Reference:
    """Read references/<name>.json; raise ReferencesError if there is none."""
    path = FOLDER / f"{name}.json"
    if not path.is_file():
        names = ", ".join(sorted(names_of_all())) or "none yet"
        raise ReferencesError(f"got {name!r}, but there is no {path}; expected one of the references that exist "
                             f"({names}): `python -m versus reference write {name}` makes it from a finished run")
    try:
        values = metrics.read(path)
        return Reference(**values | {"results": {each: Results(**results)
                                                 for each, results in values["results"].items()}})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ReferencesError(f"{path}: got a file that is no reference ({error}); expected one that `python -m versus "
                             f"reference write {name}` wrote: restore it from git, or write it again") from None


def names_of_all() -> list[str]:
    """List the names of the references that exist."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def write(reference: Reference) -> Path:
    """Write references/<name>.json."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{reference.name}.json"
    text = json.dumps(asdict(reference), indent=1, ensure_ascii=False)
    text = re.sub(r"\[[^][{}]*\]", lambda numbers: " ".join(numbers[0].split()), text)  # a list on one line
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text + "\n", encoding="utf-8")
    os.replace(unfinished, path)
    return path


def of_run(name: str) -> tuple[Reference, dict[str, Predictions]]:
    """Collect the run in the current folder as a reference `name`, and read its predictions, by competitor.

    Raises ReferencesError if dvc.lock does not know the run, with all that is missing.
    """
    if not re.fullmatch(r"[\w-]+", name):
        raise ReferencesError(f"got the name {name!r}; expected letters, digits, - and _: it becomes a file's name")
    stages = lock.stages()
    outputs = lock.outputs(stages)
    paths = {Path(path).stem: path for path in outputs if path.startswith(PREDICTIONS) and path.endswith(".csv")}
    problems = [f"{path}: {problem}" for path in paths.values() if (problem := _problem(path, outputs[path]))]
    if not paths or "data/split" not in outputs:
        problems.append("dvc.lock: names no predictions, or no images")
    if problems:
        raise ReferencesError("\n".join(problems) + "\nexpected a finished run: `dvc repro`, or `dvc pull` of one")
    try:
        predictions = {competitor: predictions_csv.read(path) for competitor, path in paths.items()}
    except PredictionsError as error:
        raise ReferencesError(str(error)) from error
    part = next(iter(predictions.values())).part
    return Reference(name, platform.python_version(), _versions(), _processor(), _params(stages, list(paths)), part,
                     outputs["data/split"], dict(_recorded(outputs)),
                     {competitor: _results(each) for competitor, each in predictions.items()}), predictions


def _problem(path: str, md5: str) -> str:
    """Say why a file is not the one that dvc.lock names, "" if it is."""
    if not Path(path).is_file():
        return "no such file"
    with open(path, "rb") as file:
        return "" if hashlib.file_digest(file, "md5").hexdigest() == md5 else "not the file that dvc.lock names"


def _params(stages: dict, competitors: list[str]) -> dict[str, Any]:
    """Return the parameters that the predictions of `competitors` depend on, {"section.key": value}, sorted."""
    values: dict[str, Any] = {}
    for stage in STAGES:
        for name in (stage, *(f"{stage}_{competitor}" for competitor in competitors)):
            values |= lock.parameters(stages.get(name, {}))
    return {key: values[key] for key in sorted(values.keys() - IRRELEVANT)}


def _recorded(outputs: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what a reference records of dvc.lock: the images, the weights, and what the competitors computed."""
    for path in sorted(outputs):
        if path == "data/split" or path.startswith(("models/", *COMPUTED)) and not path.endswith(".npy"):
            yield path, outputs[path]


def _results(predictions: Predictions) -> Results:
    wrong = {file: [int(seed) for seed in np.flatnonzero(~right)]
             for file, right in zip(predictions.files, predictions.correct.T) if not right.all()}
    return Results([metrics.rounded(float(value)) for value in predictions.correct.mean(axis=1)],
                   [metrics.rounded(float(value)) for value in predictions.log_losses.mean(axis=1)], wrong)


def _versions() -> dict[str, str]:
    """Return the installed versions of the packages that pyproject.toml names."""
    project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
    names = [re.split(r"[\[<>=!~; ]", requirement)[0] for requirement in project["dependencies"]]
    return dict(sorted((name, installed_version(name)) for name in names))


def installed_version(name: str) -> str:
    """Return the version of a package, also of one that is installed for the CPU alone, as tensorflow-cpu is."""
    for each in (name, f"{name}-cpu"):
        try:
            return version(each)
        except PackageNotFoundError:
            pass
    return "not installed"


def _processor() -> str:
    """Name the processor: its model where Linux says it, or else what Python knows."""
    try:
        models = re.findall(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text("utf-8"), re.MULTILINE)
    except OSError:
        models = []
    return models[0].strip() if models else platform.processor() or platform.machine()
