"""Which images a gallery shows: those that two classifiers get right or wrong, cannot decide, or disagree about."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from versus.artifacts.predictions import Predictions

UNDECIDED = 0.2  # the two highest probabilities of an image are closer than this


class Group(NamedTuple):
    """One group: its name, a sentence about its images, and in words their order."""

    name: str
    sentence: str  # {} is how many images of how many
    order: str


GROUPS = (
    Group("wrong", "Both classify {} wrongly", "the surest mistakes first"),
    Group("disagree", "The two classify {} differently", "the furthest apart first"),
    Group("undecided", "For {}, the two most probable classes of one or both are less than "
          f"{100 * UNDECIDED:.0f} points apart", "the closest first"),
    Group("right", "Both classify {} correctly", "the surest first"),
)


def groups(one: Predictions, other: Predictions) -> dict[str, np.ndarray]:
    """Return the images of each of GROUPS, by name, as indices in the group's order; `one` and `other` are a pair.

    What counts are the mean probabilities over the seeds, as the verdict is about all seeds: what a single training run
    gets wrong changes with chance. An image can be in several groups.
    """
    labels, images = one.labels, np.arange(len(one.labels))
    means = (one.mean, other.mean)  # (images, classes) each
    predicted = np.array([each.argmax(axis=1) for each in means])
    own = np.mean([each[images, labels] for each in means], axis=0)
    highest = [np.partition(each, -2, axis=1) for each in means]
    gap = np.min([each[:, -1] - each[:, -2] for each in highest], axis=0)
    apart = np.abs(means[0] - means[1]).sum(axis=1)
    members = {"wrong": ((predicted != labels).all(axis=0), own), "disagree": (predicted[0] != predicted[1], -apart),
               "undecided": (gap < UNDECIDED, gap), "right": ((predicted == labels).all(axis=0), -own)}
    ordered = {}
    for group in GROUPS:
        belongs, key = members[group.name]
        ordered[group.name] = images[belongs][np.argsort(key[belongs], kind="stable")]
    return ordered


def table(shown: dict[str, np.ndarray], pair: dict[str, Predictions]) -> pd.DataFrame:
    """Return one row for each image of `shown`, the images of each group; `pair` are both predictions by name.

    Columns group, rank (from 1), file, class, seeds; and for each name: _predicted, _probability (of that class), _true
    (of the true class), both means over the seeds, and _right, the number of seeds that are right.
    """
    rows = []
    for group, images in shown.items():
        for rank, image in enumerate(images, 1):
            one = next(iter(pair.values()))
            row = {"group": group, "rank": rank, "file": one.files[image],
                   "class": one.class_names[one.labels[image]], "seeds": len(one.seeds)}
            for name, predictions in pair.items():
                means = predictions.mean[image]
                row |= {f"{name}_predicted": predictions.class_names[means.argmax()],
                        f"{name}_probability": float(means.max()),
                        f"{name}_true": float(means[predictions.labels[image]]),
                        f"{name}_right": int(predictions.correct[:, image].sum())}
            rows.append(row)
    columns = ["group", "rank", "file", "class", "seeds", *(f"{name}_{column}" for name in pair for column in (
        "predicted", "probability", "true", "right"))]
    return pd.DataFrame(rows, columns=columns)
