"""What backbones are tested with and against in every framework: small settings, pixels, closed forms in numpy."""

import hashlib

import numpy as np

from versus import params

MODEL = params.load().model.model_copy(update={"backbone": "efficientnet_lite0", "weights": "random", "image_size": 64})
MODELS = {name: MODEL.model_copy(update={"backbone": name}) for name in ("efficientnet_lite0", "resnet50")}
PIXELS = np.random.default_rng(0).uniform(0, 255, (4, 64, 64, 3)).astype(np.float32)
# of each backbone the number of its tensors and the digest of their names and shapes
TENSORS = {"efficientnet_lite0": (245, "9f74acb30492e917"), "resnet50": (265, "f2cb7e91e337274f")}


def digest(shapes):
    """Return the number of tensors and a digest of their names and shapes, as in TENSORS."""
    text = repr(sorted((name, tuple(map(int, shape))) for name, shape in shapes.items()))
    return len(shapes), hashlib.sha256(text.encode()).hexdigest()[:16]


def normalise(x, mean, variance, weight, bias, epsilon):
    """Normalise x (n, height, width, channels) as batch norm does, in float64."""
    mean, variance, weight, bias = (np.asarray(each, float) for each in (mean, variance, weight, bias))
    return (np.asarray(x, float) - mean) / np.sqrt(variance + epsilon) * weight + bias


def updated(stored, of_batch):
    """Return the running statistics after a batch."""
    return 0.9 * stored + 0.1 * of_batch


def mean_and_variance(x, ddof=0):
    """Return the mean and variance of each channel of x (n, height, width, channels), in float64."""
    x = np.asarray(x, float)
    return x.mean((0, 1, 2)), x.var((0, 1, 2), ddof=ddof)


def distance(features, expected):
    """Return the relative L2 distance of the worst image's features (n, width)."""
    return np.max(np.linalg.norm(features - expected, axis=1) / np.linalg.norm(expected, axis=1))
