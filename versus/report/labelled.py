"""`python -m versus evaluate`: how good the saved classifiers are on new labelled images."""

import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from tqdm import tqdm

from versus import params
from versus.artifacts import predictions_csv
from versus.artifacts.predictions import Predictions
from versus.evaluation import comparison, scores
from versus.frameworks import COMPETITORS, workers
from versus.frameworks.stream import Result, classify
from versus.frameworks.workers import Workers
from versus.images import later
from versus.images.conversion import Conversion
from versus.images.duplicates import near_duplicates
from versus.images.sources.errors import quoted
from versus.images.sources.names import composed
from versus.report import console, sentences
from versus.report.numbers import plural

NEW = "new"  # the part, in tables and sentences


class LabelError(ValueError):
    """A folder whose images cannot be evaluated."""


def evaluate(folder: Path, models: Path, framework: str | None, settings: params.Compare, target: Path | None) -> None:
    """Score the classifiers in `models`, of one `framework` or of all, on the images of a folder, and print it.

    An image's class is the folder above it, at any depth, that has a class's name. Near-duplicates count as one. With a
    folder `target`, each one's predictions are written there as CSV. Exits with 1 if there are files that cannot be
    used. Raises LabelError.
    """
    infos = workers.available(models, framework)
    info, frameworks = next(iter(infos.values())), list(infos)
    with Workers(models, frameworks) as loading, TemporaryDirectory() as converted:
        label_of = labels(folder, info.classes)
        results = classify(loading, label_of, Conversion(info.background, info.deep_range), Path(converted))
        every = [_with_arrays(each) for each in tqdm(results, "new images", len(label_of), unit="image", disable=None)]
        usable = sorted((each for each in every if not each.problem), key=lambda each: (label_of[each.file], each.file))
        units = near_duplicates([each.plain for each in usable if each.plain]).near
    if not usable:
        raise LabelError(f"{folder}: got no image that can be used, {plural(len(every), 'file')} that cannot, such as "
                         f"{every[0].file} ({every[0].problem}); expected images")
    predictions = {name: _predictions(folder, usable, label_of, info.classes, name, units) for name in frameworks}
    show(predictions, settings)
    if target:
        for name, each in predictions.items():
            predictions_csv.write(each, target / f"{name}.csv")
    if unusable := [each for each in every if each.problem]:
        lines = [f"{each.file}: {each.problem}" for each in unusable]
        sys.exit("\n".join([*lines, f"{len(unusable):,} of {plural(len(every), 'file')} cannot be used, and are left "
                                    "out of these scores"]))


def labels(folder: Path, classes: list[str]) -> dict[Path, str]:
    """Return the class of each image below `folder`; say on the standard error what is left out; raise LabelError."""
    images, _ = later.files_of([folder])
    label_of: dict[Path, str] = {}
    elsewhere: Counter[str] = Counter()
    for image in images:
        parents = [composed(name) for name in image.relative_to(folder).parts[:-1]]
        label = next((name for name in reversed(parents) if name in classes), None)
        if label is None:
            elsewhere["/".join(parents) or "."] += 1
        else:
            label_of[image] = label
    if not label_of:
        have = f"folders {quoted(elsewhere)}" if elsewhere else "no images"
        raise LabelError(f"{folder}: got {have}; expected <class>/* with the classes that the classifiers know, "
                         f"{quoted(classes)}")
    if elsewhere:
        print(f"left out: {plural(elsewhere.total(), 'image')} in folders that are no class of the classifiers, "
              f"{quoted(elsewhere)}", file=sys.stderr)
    return label_of


def _with_arrays(result: Result) -> Result:
    """Return a result whose probabilities are arrays, which take a quarter of the memory of lists."""
    return result._replace(probabilities={name: np.array(each) for name, each in result.probabilities.items()})


def _predictions(folder: Path, results: list[Result], label_of: dict[Path, str], classes: list[str], framework: str,
                 units: np.ndarray) -> Predictions:
    """Return what one framework's classifier predicts, as one seed."""
    probabilities = np.array([result.probabilities[framework] for result in results], float)
    return Predictions((0,), tuple(result.file.relative_to(folder).as_posix() for result in results), tuple(classes),
                       np.array([classes.index(label_of[result.file]) for result in results]),
                       (probabilities / probabilities.sum(axis=1, keepdims=True))[None], units, NEW)


def show(predictions: dict[str, Predictions], settings: params.Compare) -> None:
    """Print the scores of one classifier, or of two with their comparison."""
    titles, each = [COMPETITORS[name].title for name in predictions], list(predictions.values())
    if len(each) == 2:
        result = {"part": NEW} | comparison.compare(each[0], each[1], settings)
        console.show_comparison(scores.summary(each[0], settings), scores.summary(each[1], settings), result,
                                (titles[0], titles[1]), settings.margin, sentences.SCOPE_OF_FILES)
    else:
        console.show_scores({"part": NEW} | scores.summary(each[0], settings), titles[0])
    console.show_notes([accuracy(title, own, settings) for title, own in zip(titles, each)])


def accuracy(title: str, predictions: Predictions, settings: params.Compare) -> str:
    """Say the accuracy with its 95 % interval."""
    low, high = scores.accuracy_interval(predictions, settings)
    mean = predictions.correct.mean()  # rounded as in the table
    return f"Accuracy of {title}'s saved classifier: {mean:.3f} (95 % interval {low:.3f} to {high:.3f})."
