"""Images to features: the loop over views and parts that is the same in every framework."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from versus import params
from versus.artifacts.features import MEMORY, Features, FeaturesError, Store, check_finite
from versus.recipe import draws
from versus.recipe.architectures import ARCHITECTURES, STRIDE
from versus.recipe.conventions import FeatureConventions
from versus.recipe.pixels import ImageBatches
from versus.recipe.weights import Pretrained

SAMPLE = 8  # images of each part whose pixels are kept for a comparison


class Backbones(NamedTuple):
    """What augmented views go through, and images as they are: two only where `extract.precision` is not full."""

    views: Any
    plain: Any


def build(maker: Any, settings: params.Params, pretrained: Pretrained, batch_norm: str) -> Backbones:
    """Build the backbones of a run. `maker` is the framework's module `backbone`, or a `Cluster`.

    Images as they are go through the backbone that is saved, so that its predictions are those of training.
    """
    plain = maker.build(settings.model, pretrained, batch_norm)
    if settings.extract.precision == "full":
        return Backbones(plain, plain)
    return Backbones(maker.build(settings.model, pretrained, batch_norm, settings.extract.precision), plain)


def extract(own: Any, backbones: Backbones, train: list[Path], plain: dict[str, list[Path]], settings: params.Params,
            conventions: FeatureConventions, title: str | None, store: Store = MEMORY,
            last_pass: bool = False) -> Features:
    """Compute the `Features` of image files: `train` in augmented views, the parts of `plain` as they are.

    `own` is the framework's module `features`, or a `Cluster`. Where batch norm stores the statistics of the batches,
    each view updates them, so the plain features are computed again after each view: with `last_pass` only after the
    one that the last epoch of training ends with. `title` is the progress bar's; None shows none. Features are written
    to arrays of `store` as they come.
    """
    training = conventions.batch_statistics
    batches = draws.batches(settings.extract, len(train))
    check_batches(settings, training, batches)
    size, threads = settings.model.image_size, settings.compute.threads
    views = [ImageBatches(train, of_view, size, conventions.pixels, view, conventions.augment, threads)
             for of_view, view in zip(batches, draws.views(settings.extract, len(train)))]
    parts = {part: ImageBatches(files, draws.in_order(len(files), settings.extract.batch), size, conventions.pixels,
                                threads=threads)
             for part, files in plain.items()}
    updating = conventions.batch_norm == "batch"
    width, precision = ARCHITECTURES[settings.model.backbone].width, settings.train.precision
    passes = list(range(len(views))) if updating else [0]  # the views after which plain features are computed
    if last_pass:
        passes = [passes[min(settings.train.epochs, len(passes)) - 1]]
    augmented = store.array("augmented", (len(views), len(train), width), precision)
    plain_features = {part: store.array(part, (len(passes), len(files), width), precision)
                      for part, files in plain.items()}
    statistics = []
    total = len(views) * len(train) + len(passes) * sum(len(files) for files in plain.values())
    with tqdm(total=total, desc=title, unit="image", disable=None if title else True) as bar:
        for number, view in enumerate(views):
            own.apply(backbones.views, view, training, bar, augmented[number])
            if updating:
                statistics.append(own.statistics(backbones.views))
                if backbones.plain is not backbones.views:
                    own.set_statistics(backbones.plain, statistics[-1])
            if number in passes:
                for part, images in parts.items():
                    own.apply(backbones.plain, images, False, bar, plain_features[part][passes.index(number)])
    pixels = np.concatenate([own.received(images)[:SAMPLE] for images in (views[0], *parts.values())])
    return check_finite(Features(augmented, plain_features, statistics, pixels))


def check_batches(settings: params.Params, training: bool, batches: list[draws.Batches]) -> None:
    """Raise FeaturesError where batch norm in training mode cannot work with the `batches` of each view.

    Where a batch is a single image and its last feature map a single pixel, there is one value a channel, which has no
    variance.
    """
    size, batch = settings.model.image_size, settings.extract.batch
    if training and size <= STRIDE and 1 in map(len, batches[0]):
        raise FeaturesError(f"model.image_size: got {size} with an extract.batch of {batch}, which leaves one of the "
                            f"{sum(map(len, batches[0]))} training images to a batch of its own: too few pixels for "
                            f"batch norm in training mode to have a variance; expected a model.image_size above "
                            f"{STRIDE}: raise it, or change extract.batch and train.batch")
