"""Faults of one framework's side alone that the table of conventions does not hold: each in effect inside a `with`.

They are planted in PyTorch, in the modules that its stages call.
"""

from dataclasses import replace
from unittest.mock import patch

import numpy as np

from versus.frameworks import modules
from versus.recipe import architectures, draws, weights


def wrapped(owner, name, change):
    """Change what the function `owner`.`name` returns."""
    right = getattr(owner, name)
    return patch.object(owner, name, lambda *arguments, **more: change(right(*arguments, **more)))


def blue_first():
    (features,) = modules("torch", "features")
    return wrapped(features.Batches, "__getitem__", lambda batch: batch.flip(1))


def other_mean():
    right = architectures.ARCHITECTURES["efficientnet_lite0"]
    wrong = right._replace(mean=tuple(value + 20 for value in right.mean))
    return patch.dict(architectures.ARCHITECTURES, efficientnet_lite0=wrong)


def batch_norm(constant, factor):
    """Multiply a constant of every batch norm."""
    (backbone,) = modules("torch", "backbone")

    def change(built):
        for layer in built.network.modules():
            if hasattr(layer, "running_var"):
                setattr(layer, constant, getattr(layer, constant) * factor)
        return built

    return wrapped(backbone, "network", change)  # before it is fused with the convolutions


def other_padding():
    (backbone,) = modules("torch", "backbone")

    def replicate(built):
        built.network.blocks[0][0].conv_dw.padding_mode = "replicate"
        return built

    return wrapped(backbone, "build", replicate)


def swapped_tensors():
    def swap(pretrained):
        one, other = "blocks.1.1.bn1.weight", "blocks.1.1.bn2.weight"
        tensors = pretrained.tensors
        assert tensors[one].shape == tensors[other].shape
        return replace(pretrained, tensors=tensors | {one: tensors[other], other: tensors[one]})

    return wrapped(weights, "read_pretrained", swap)


def half_precision():
    (features,) = modules("torch", "features")
    return wrapped(features, "_outputs", lambda pieces: (piece.astype(np.float16) for piece in pieces))


def other_seed():
    right = draws.initial_weights
    return patch.object(draws, "initial_weights", lambda seed, *more: right(seed + 1, *more))


def without_last_batch():
    return wrapped(draws, "steps_by_batch", lambda epochs: (batches[:-1] for batches in epochs))


# fault: how to plant it, and the stage at which it first appears
FAULTS = {
    "mean": (other_mean, "features"),
    "blue first": (blue_first, "pixels"),
    "epsilon": (lambda: batch_norm("eps", 0.01), "features"),
    "padding": (other_padding, "features"),
    "swapped tensors": (swapped_tensors, "features"),
    "momentum": (lambda: batch_norm("momentum", 1.5), "features"),
    "half precision": (half_precision, "features"),
    "order of labels": (None, "heads"),  # see compute_parity
    "another seed": (other_seed, "heads"),
    "no last batch": (without_last_batch, "heads"),
}
