"""The backbone's tensors under PyTorch's names, and the constants of its architecture, for both frameworks.

Framework-free: tensors are numpy arrays, files are safetensors.
"""

import hashlib
from typing import NamedTuple

import numpy as np
from safetensors import SafetensorError, safe_open


class Architecture(NamedTuple):
    """What both frameworks must know of a backbone: mean and variance are of levels (0..255), RGB.

    Both keep them in float32 at any precision, as keras.layers.Normalization does.
    """

    width: int
    mean: tuple
    variance: tuple
    epsilon: float
    momentum: float  # the share of the new batch in the running statistics, PyTorch's way


ARCHITECTURES = {
    # its own normalisation, (x - 127) / 128: that of ImageNet moves the features by 66 %
    "efficientnet_lite0": Architecture(1280, (127.0,) * 3, (128.0**2,) * 3, 1e-3, 0.1),
    # torchvision.models.ResNet50_Weights.IMAGENET1K_V1.transforms, times 255
    "resnet50": Architecture(2048, (123.675, 116.28, 103.53), (58.395**2, 57.12**2, 57.375**2), 1e-5, 0.1),
}


class WeightsError(ValueError):
    """Weights that are missing or do not fit the architecture."""


def read(path):
    """Read a .safetensors file as a mapping of names to arrays; raise WeightsError if it is none."""
    try:
        with safe_open(path, "numpy") as file:
            return {name: _tensor(file, name, path) for name in file.keys()}
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"model.weights: got {str(path)!r}, which cannot be read ({error}); "
                           "expected a .safetensors file with PyTorch's names") from None


def _tensor(file, name, path):
    try:
        return file.get_tensor(name)
    except (TypeError, AttributeError):  # numpy has no bfloat16 and no float of 8 bits
        raise WeightsError(f"{path}: got {name} of type {file.get_slice(name).get_dtype()}, which numpy cannot hold; "
                           "save it as float32") from None


def check(found, shapes, origin):
    """Raise WeightsError unless `found` holds exactly the names of `shapes`, each in its shape, all finite floats."""
    missing, extra = sorted(shapes.keys() - found.keys()), sorted(found.keys() - shapes.keys())
    if missing or extra:
        raise WeightsError(f"{origin}: got {len(found)} tensors, expected {len(shapes)}; missing: "
                           f"{missing[:3] or 'none'}, unknown: {extra[:3] or 'none'}; use a file of this backbone")
    for name, shape in shapes.items():
        if tuple(found[name].shape) != tuple(shape):
            raise WeightsError(f"{origin}: got {name} of shape {tuple(found[name].shape)}, expected {tuple(shape)}; "
                               "use a file of this backbone")
        _check_numbers(found[name], f"{origin}: got {name}")


def _check_numbers(tensor, got):
    """Raise WeightsError, which opens with `got`, unless a tensor holds finite floating-point numbers."""
    if tensor.dtype.kind != "f":
        raise WeightsError(f"{got} of type {tensor.dtype}, expected float16, float32 or float64; save it as float32")
    if count := np.count_nonzero(~np.isfinite(tensor)):
        raise WeightsError(f"{got} with {count} of {tensor.size} numbers NaN or infinite, expected finite ones; "
                           "save finite ones, as float32")


def check_file(path, algorithm, published, remedy):
    """Raise WeightsError unless the hash of a file begins with `published`; the message ends with `remedy`.

    `algorithm` is one of hashlib's. The file is neither loaded nor changed.
    """
    try:
        with open(path, "rb") as file:
            found = hashlib.file_digest(file, algorithm).hexdigest()
    except OSError as error:
        raise WeightsError(f"{path}: got a file that cannot be read ({error.strerror}); {remedy}") from None
    if not found.startswith(published):
        raise WeightsError(f"{path}: got {algorithm} {found[:16]}…, expected {published[:16]}…; {remedy}")


def draw(shapes, seed=0):
    """Draw random weights for a backbone: He's normal kernels (He et al. 2015), batch norm about the identity.

    Batch norm is drawn too, since ones and zeros would hide a wrong epsilon or a swapped tensor; its factors are below
    one, so that the sums of residual blocks do not grow out of hand.
    """
    generator = np.random.default_rng(seed)
    drawn = {}
    for name in sorted(shapes):
        shape = tuple(shapes[name])
        if len(shape) == 4:  # (out, in, height, width)
            drawn[name] = generator.normal(size=shape) * np.sqrt(2 / np.prod(shape[1:]))
        elif name.endswith(".running_var"):
            drawn[name] = generator.uniform(0.5, 1.5, size=shape)
        elif name.endswith(".weight"):
            drawn[name] = generator.uniform(0.3, 0.9, size=shape)
        else:
            drawn[name] = generator.normal(size=shape) * 0.1
    return {name: tensor.astype(np.float32) for name, tensor in drawn.items()}
