"""`python -m versus card`: a model card for each saved classifier, from the run that made it."""

from collections import Counter
from pathlib import Path

import numpy as np
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from versus import params
from versus.artifacts import model_info, predictions_csv
from versus.artifacts.metrics import rounded
from versus.artifacts.model_info import ModelInfo
from versus.artifacts.predictions import Predictions
from versus.evaluation import scores
from versus.frameworks import Competitor, competitor
from versus.frameworks.licences import licence_of_weights
from versus.frameworks.usage import usage
from versus.images import dataset
from versus.recipe.conventions import TABLE
from versus.report.numbers import plural

FAILURES = 10  # images
MIXED_UP = 5   # pairs of classes
DATA = {
    "sample": ("photographs of solar cells, defective or not (package elpv-dataset)", "CC BY-NC-SA 4.0"),
    "synthetic": ("images drawn by this project's code", "none: nobody has rights in them"),
    "folder": ("images of a folder", "not known to this project: whoever has the images has to say"),
    "kaggle": ("the Kaggle data set {kaggle}", "that of the data set's page, https://www.kaggle.com/datasets/{page}"),
}


def write_cards(target: Path) -> list[Path]:
    """Write `target`/<framework>/README.md for each classifier of the last run; return the paths.

    Raises ParamsError, ModelInfoError or PredictionsError where the run is not complete.
    """
    settings = params.load()
    paths = []
    for framework in params.FRAMEWORKS:
        info = model_info.read(f"models/{framework}")
        predictions = predictions_csv.read(f"data/predictions/{framework}.csv")
        path = target / framework / "README.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        card(settings, competitor(framework), info, predictions).save(path)
        paths.append(path)
    return paths


def card(settings: params.Params, of: Competitor, info: ModelInfo, predictions: Predictions) -> ModelCard:
    """Make the card of one competitor's saved classifier; `predictions` are those of all seeds."""
    saved = predictions.deployed(info.deploy)
    data, data_licence = _data(settings.data)
    accuracy = saved.correct.mean()
    results = [EvalResult(task_type="image-classification", dataset_type="imagefolder", dataset_name=data,
                          dataset_split=predictions.part or "validation", metric_type="accuracy",
                          metric_value=rounded(float(accuracy)))]
    heading = ModelCardData(language="en", license="other", library_name=of.framework, model_name=_name(info),
                            pipeline_tag="image-classification", tags=[info.backbone, "transfer-learning"],
                            eval_results=results)
    sections = [
        f"# {_name(info)}, {of.title}", _what(info, settings, of),
        "## Use it", "Anywhere, with the framework alone and the files of this folder:",
        f"```python\n{usage(of.framework, info)}\n```",
        "They reproduce how the images were read in training. Images that loaders would misread were converted before "
        f"that: turned as EXIF says, transparency laid over {info.background}, more than 8 bits scaled to 8; "
        "`python -m versus predict IMAGE` does all of it.",
        "## Data", _images_of(settings, data, predictions), f"Licence: {data_licence}.",
        "## Recipe", *_recipe(settings, of),
        "## Scores", _scores(predictions, saved, settings.compare, info),
        "## Known failures", *_failures(saved),
        "## Licences", f"Images: {data_licence}. Weights of the backbone: "
        f"{licence_of_weights(settings.model, of.framework)}. The head is this run's own; the "
        "licence of the whole follows from these, and is for its publisher to state.",
    ]
    return ModelCard(f"---\n{heading.to_yaml()}\n---\n\n" + "\n\n".join(sections) + "\n")


def _name(info: ModelInfo) -> str:
    shown = ", ".join(info.classes[:5]) + (f" and {len(info.classes) - 5} more" if len(info.classes) > 5 else "")
    return f"Classifier of {shown}"


def _what(info: ModelInfo, settings: params.Params, of: Competitor) -> str:
    heads = f"the mean of {plural(settings.train.seeds, 'head')}" if info.deploy == "mean" else "the head of seed 0"
    return (f"Takes an image, {info.image_size} x {info.image_size} pixels, RGB, 0 to 255, and returns the probability "
            f"of each of {plural(len(info.classes), 'class', 'classes')}: {', '.join(info.classes)}. A frozen "
            f"{info.backbone} and {heads}, trained in {of.title}.")


def _data(data: params.Data) -> tuple[str, str]:
    """Describe the images' source and its licence, without paths of this machine."""
    values = {"kaggle": data.kaggle, "page": data.kaggle.partition("/versions/")[0]}
    description, licence = DATA[data.source]
    return description.format(**values), licence.format(**values)


def _images_of(settings: params.Params, data: str, predictions: Predictions) -> str:
    counts = [f"{plural(len(dataset.read('data/split', part).files), 'image')} ({part})"
              for part in dataset.parts("data/split")]
    train = dataset.read("data/split", "train")
    of_class = Counter(train.classes[label] for label in train.labels)
    shown = ", ".join(f"{name} {number:,}" for name, number in of_class.most_common(20))
    more = f" and {len(of_class) - 20:,} more classes" if len(of_class) > 20 else ""
    return (f"{data[0].upper()}{data[1:]}: {', '.join(counts)}; near-duplicates are kept in one part. Training images "
            f"of each class: {shown}{more}.")


def _recipe(settings: params.Params, of: Competitor) -> list[str]:
    model, train, extract = settings.model, settings.train, settings.extract
    resolved = of.resolve(settings.conventions)
    lines = [f"- backbone: {model.backbone}, weights {licence_of_weights(model, of.framework).split(';')[0]}, frozen",
             f"- head: two dense layers, {model.hidden} hidden units; {plural(train.epochs, 'epoch')} in batches of "
             f"{train.batch}, Adam with a learning rate of {train.learning_rate:g}; {plural(train.seeds, 'seed')}",
             f"- augmentation: {plural(extract.views, 'view')} of each image; shear up to {extract.shear:g} degrees, "
             f"zoom up to {extract.zoom:g}{', mirrored half of the time' if extract.flip else ''}"
             f"{'; their features in bfloat16' if extract.precision == 'bfloat16' else ''}"]
    for name, of_frameworks in TABLE.items():
        words = next((default.words for eras in of_frameworks.values() for default in eras.values()
                      if default.value == getattr(resolved, name)), getattr(resolved, name))
        lines.append(f"- {name}: {words}")
    return ["\n".join(lines)]


def _scores(predictions: Predictions, saved: Predictions, settings: params.Compare, info: ModelInfo) -> str:
    """Write the scores of the saved classifier and of all seeds as a table."""
    part = predictions.part or "validation"
    columns = {"saved classifier": saved, f"mean of {plural(len(predictions.seeds), 'seed')}": predictions}
    summaries = [scores.summary(each, settings) for each in columns.values()]
    rows = [["", *columns], ["---"] * (len(columns) + 1)]
    for name, title in (("accuracy", "accuracy (95 % interval)"), ("balanced_accuracy", "balanced accuracy"),
                        ("log_loss", "log loss"), ("roc_auc", "ROC AUC"), ("ece", "calibration error (ECE)")):
        if name in summaries[0]:
            rows.append([title, *(f"{each[name]:.3f}" + (_interval(own, settings) if name == "accuracy" else "")
                                  for each, own in zip(summaries, columns.values()))])
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    caution = "" if part == "test" else (" No training run was stopped or chosen by them, but whoever tries many "
                                        "parameters and keeps the best has chosen by them.")
    images = plural(len(predictions.files), f"{part} image")
    return f"Of {images}, {predictions.independent:,} independent.{caution}\n\n{table}"


def _interval(predictions: Predictions, settings: params.Compare) -> str:
    low, high = scores.accuracy_interval(predictions, settings)
    return f" ({low:.3f} to {high:.3f})"


def _failures(saved: Predictions) -> list[str]:
    """List the images that the saved classifier has most confidently wrong, and the classes it mixes up most."""
    predicted, probabilities = saved.predicted[0], saved.probabilities[0]
    wrong = np.flatnonzero(predicted != saved.labels)
    if not len(wrong):
        return [f"None among {plural(len(saved.files), 'image')}: how it fails on other images is not known."]
    confident = wrong[np.argsort(-probabilities[wrong, predicted[wrong]], kind="stable")][:FAILURES]
    names = saved.class_names
    lines = [f"- `{saved.files[i]}` is {names[saved.labels[i]]}, called {names[predicted[i]]} with a probability of "
             f"{probabilities[i, predicted[i]]:.3f}" for i in confident]
    pairs = Counter((names[saved.labels[i]], names[predicted[i]]) for i in wrong).most_common(MIXED_UP)
    mixed = "; ".join(f"{actual} called {called} {number:,} times" for (actual, called), number in pairs)
    return [f"{plural(len(wrong), 'image')} of {len(saved.files):,} are wrong: {mixed}. The most confident mistakes:",
            "\n".join(lines)]
