"""Everything random, drawn once in numpy and handed to all competitors.

Each kind of draw has a random stream of its own, so that drawing more of one kind never changes the others.
"""

import math
from collections.abc import Iterator

import numpy as np

from versus import params

VIEW = np.dtype([("shear", "f8"), ("zoom_x", "f8"), ("zoom_y", "f8"), ("flip", "?")])  # degrees, factors
Batches = list[np.ndarray]  # each the indices of its images or rows
Layer = tuple[np.ndarray, np.ndarray]  # kernel (inputs, outputs), bias (outputs,)
_VIEWS, _BATCHES, _ORDER, _WEIGHTS = range(4)


def _generator(seed: int, stream: int, *more: int) -> np.random.Generator:
    return np.random.default_rng([stream, *more, seed])


def in_order(images: int, batch: int) -> Batches:
    """Divide the indices of `images` images into batches, in order; the last batch may be short."""
    return np.split(np.arange(images), range(batch, images, batch))


def views(extract: params.Extract, images: int) -> np.ndarray:
    """Draw the augmentation of each training image in each view: VIEW records (views, images)."""
    uniform = _generator(extract.seed, _VIEWS).uniform(size=(extract.views, images, 4))
    records = np.empty(uniform.shape[:2], VIEW)
    records["shear"] = (2 * uniform[..., 0] - 1) * extract.shear
    records["zoom_x"] = 1 + (2 * uniform[..., 1] - 1) * extract.zoom
    records["zoom_y"] = 1 + (2 * uniform[..., 2] - 1) * extract.zoom
    records["flip"] = (uniform[..., 3] < 0.5) & extract.flip
    return records


def batches(extract: params.Extract, images: int) -> list[Batches]:
    """Draw the batches in which features are computed, for each view; the last batch of each may be short."""
    orders = [_generator(extract.seed, _BATCHES, view).permutation(images) for view in range(extract.views)]
    return [np.split(order, range(extract.batch, images, extract.batch)) for order in orders]


def batches_of_folds(extract: params.Extract, folds: np.ndarray) -> list[list[Batches]]:
    """Draw batches that hold images of one fold each: of each view and fold, indices into the images of the fold.

    folds: the fold of each image, (images,) int. The batches of a fold are about equal in size, at most
    `extract.batch`, so that none is short.
    """
    generators = [_generator(extract.seed, _BATCHES, view) for view in range(extract.views)]
    sizes = np.bincount(folds)
    return [[np.array_split(generator.permutation(size), math.ceil(size / extract.batch)) for size in sizes]
            for generator in generators]


def steps(seed: int, train: params.Train, views: int, images: int) -> Iterator[Batches]:
    """Draw the steps of one training run when batch norm is frozen.

    Yields, for each epoch, batches of rows of the (views * images) features. An epoch uses every image once, in a view
    drawn at random.
    """
    generator = _generator(seed, _ORDER)
    for _ in range(train.epochs):
        rows = generator.integers(views, size=images) * images + np.arange(images)
        yield np.split(generator.permutation(rows), range(train.batch, images, train.batch))


def steps_by_batch(seed: int, train: params.Train, batches: list[Batches], even: bool = False) -> Iterator[Batches]:
    """Draw the steps of one training run when batch norm uses batch statistics; yields what `steps` yields.

    A feature then depends on the batch in which it was computed, so batches keep their composition, as `batches` drew
    it, and only their order is drawn; a short one comes last, as loaders have it. With `even` none is short. Each epoch
    uses one view, drawn with replacement.
    """
    generator = _generator(seed, _ORDER)
    images = sum(map(len, batches[0]))
    for _ in range(train.epochs):
        view = generator.integers(len(batches))
        full = len(batches[view]) if even else images // train.batch
        order = [*generator.permutation(full), *range(full, len(batches[view]))]
        yield [view * images + batches[view][i] for i in order]


def initial_weights(seed: int, widths: list[int], convention: str) -> list[Layer]:
    """Draw the head's initial weights: a kernel (inputs, outputs) and a bias (outputs,) for each layer, float64.

    Both conventions scale the same uniform numbers, so that seeds stay comparable.
    "glorot": ±sqrt(6 / (inputs + outputs)), biases zero. "fan_in": ±1 / sqrt(inputs), biases too.
    """
    layers = []
    for layer, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        uniform = _generator(seed, _WEIGHTS, layer).uniform(-1, 1, size=(inputs + 1, outputs))
        if convention == "glorot":
            layers.append((uniform[:-1] * np.sqrt(6 / (inputs + outputs)), np.zeros(outputs)))
        else:
            layers.append((uniform[:-1] / np.sqrt(inputs), uniform[-1] / np.sqrt(inputs)))
    return layers
