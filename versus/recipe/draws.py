"""Everything random, drawn once in numpy and handed to both frameworks.

Each kind of draw has a stream of its own, so that one more of the one does not move the others.
"""

import numpy as np

VIEW = np.dtype([("shear", "f8"), ("zoom_x", "f8"), ("zoom_y", "f8"), ("flip", "?")])  # degrees, factors
_VIEWS, _BATCHES, _ORDER, _WEIGHTS = range(4)


def _generator(seed, stream, *more):
    return np.random.default_rng([stream, *more, seed])


def views(extract, images):
    """Draw what is done to each training image in each view: VIEW records (views, images)."""
    drawn = _generator(extract.seed, _VIEWS).uniform(size=(extract.views, images, 4))
    records = np.empty(drawn.shape[:2], VIEW)
    records["shear"] = (2 * drawn[..., 0] - 1) * extract.shear
    records["zoom_x"] = 1 + (2 * drawn[..., 1] - 1) * extract.zoom
    records["zoom_y"] = 1 + (2 * drawn[..., 2] - 1) * extract.zoom
    records["flip"] = (drawn[..., 3] < 0.5) & extract.flip
    return records


def batches(extract, images):
    """Draw the batches in which features are made: for each view a list of arrays of images; the last may be short."""
    orders = [_generator(extract.seed, _BATCHES, view).permutation(images) for view in range(extract.views)]
    return [np.split(order, range(extract.batch, images, extract.batch)) for order in orders]


def steps(seed, train, views, images):
    """Draw one training, batch norm frozen: for each epoch a list of batches of rows of the (views * images) features.

    Every image comes once an epoch, in any one of its views.
    """
    generator = _generator(seed, _ORDER)
    for _ in range(train.epochs):
        rows = generator.integers(views, size=images) * images + np.arange(images)
        yield np.split(generator.permutation(rows), range(train.batch, images, train.batch))


def steps_by_batch(seed, train, batches):
    """Draw one training with batch norm in training mode: as `steps`, but of whole batches as `batches` made them.

    Each epoch takes any one view, as an earlier one may have; its batches come in an order of the seed's own.
    """
    generator = _generator(seed, _ORDER)
    images = sum(map(len, batches[0]))
    for _ in range(train.epochs):
        view = generator.integers(len(batches))
        yield [view * images + batches[view][i] for i in generator.permutation(len(batches[view]))]


def first_weights(seed, widths, convention):
    """Draw the head's first weights: for each layer a kernel (inputs, outputs) and a bias (outputs), float64.

    Both conventions scale the same uniform numbers, so that seeds stay comparable.
    "glorot": ±sqrt(6 / (inputs + outputs)), biases zero. "fan_in": ±1 / sqrt(inputs), biases too.
    """
    layers = []
    for layer, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        drawn = _generator(seed, _WEIGHTS, layer).uniform(-1, 1, size=(inputs + 1, outputs))
        if convention == "glorot":
            layers.append((drawn[:-1] * np.sqrt(6 / (inputs + outputs)), np.zeros(outputs)))
        else:
            layers.append((drawn[:-1] / np.sqrt(inputs), drawn[-1] / np.sqrt(inputs)))
    return layers
