"""The backbone's tensors under PyTorch's names: read from files, checked, or drawn at random.

Framework-free: tensors are numpy arrays, files are safetensors.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

Tensors = Mapping[str, np.ndarray]
Shapes = Mapping[str, tuple[int, ...]]


class WeightsError(ValueError):
    """Weights that are missing or do not fit the architecture."""


@dataclass(frozen=True)
class Pretrained:
    """A backbone's weights. tensors: under PyTorch's names.

    shared: whether all frameworks take this network and these tensors. If not, a framework that publishes a network
    and weights of its own under the backbone's name takes those.
    """

    tensors: Tensors
    shared: bool = True


def save_pretrained(pretrained: Pretrained, path: str | Path) -> None:
    """Write weights as safetensors, `shared` among the metadata."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    save_file(dict(pretrained.tensors), path, metadata={"shared": str(pretrained.shared).lower()})


def read_pretrained(path: str | Path) -> Pretrained:
    """Read what `save_pretrained` wrote."""
    with safe_open(path, "numpy") as file:
        shared = file.metadata()["shared"] == "true"
    return Pretrained(read(path), shared)


def read(path: str | Path) -> dict[str, np.ndarray]:
    """Read a .safetensors file as a mapping of names to arrays; raise WeightsError if it cannot be read."""
    try:
        with safe_open(path, "numpy") as file:
            return {name: _tensor(file, name, path) for name in file.keys()}
    except (OSError, SafetensorError) as error:
        raise WeightsError(f"model.weights: got {str(path)!r}, which cannot be read ({error}); "
                           "expected a .safetensors file with PyTorch's names") from None


def _tensor(file: Any, name: str, path: str | Path) -> np.ndarray:
    try:
        return file.get_tensor(name)
    except (TypeError, AttributeError):  # numpy has no bfloat16 and no 8-bit float
        raise WeightsError(f"{path}: got {name} of type {file.get_slice(name).get_dtype()}, which numpy cannot hold; "
                           "save it as float32") from None


def check(tensors: Tensors, shapes: Shapes, origin: str) -> None:
    """Raise WeightsError unless `tensors` has exactly the names of `shapes`, each in its shape.

    All must be finite floats, and no variance of batch norm below 0.
    """
    missing, extra = sorted(shapes.keys() - tensors.keys()), sorted(tensors.keys() - shapes.keys())
    if missing or extra:
        raise WeightsError(f"{origin}: got {len(tensors)} tensors, expected {len(shapes)}; missing: "
                           f"{missing[:3] or 'none'}, unknown: {extra[:3] or 'none'}; use a file of this backbone")
    for name, shape in shapes.items():
        if tuple(tensors[name].shape) != tuple(shape):
            raise WeightsError(f"{origin}: got {name} of shape {tuple(tensors[name].shape)}, expected {tuple(shape)}; "
                               "use a file of this backbone")
        _check_numbers(tensors[name], f"{origin}: got {name}")
        if name.endswith("running_var") and (count := np.count_nonzero(tensors[name] < 0)):
            raise WeightsError(f"{origin}: got {name} with {count} of {tensors[name].size} variances below zero, "
                               "expected none; save the variances of batch norm")


def _check_numbers(tensor: np.ndarray, got: str) -> None:
    """Raise WeightsError, its message beginning with `got`, unless a tensor holds finite floating-point numbers."""
    if tensor.dtype.kind != "f":
        raise WeightsError(f"{got} of type {tensor.dtype}, expected float16, float32 or float64; save it as float32")
    if count := np.count_nonzero(~np.isfinite(tensor)):
        raise WeightsError(f"{got} with {count} of {tensor.size} numbers NaN or infinite, expected finite ones; "
                           "save finite ones, as float32")


def check_file(path: str | Path, algorithm: str, published: str, remedy: str) -> None:
    """Raise WeightsError unless a file's hash begins with `published`; the message ends with `remedy`.

    `algorithm` is one of hashlib's. The file is neither loaded nor changed.
    """
    try:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, algorithm).hexdigest()
    except OSError as error:
        raise WeightsError(f"{path}: got a file that cannot be read ({error.strerror}); {remedy}") from None
    if not digest.startswith(published):
        raise WeightsError(f"{path}: got {algorithm} {digest[:16]}…, expected {published[:16]}…; {remedy}")


def draw(shapes: Shapes, seed: int = 0) -> dict[str, np.ndarray]:
    """Draw random weights for a backbone: He normal kernels (He et al. 2015), batch norm near the identity.

    Batch norm is drawn too, since ones and zeros would hide a wrong epsilon or a swapped tensor; its factors are below
    one, so that the sums of residual blocks do not explode. Returns float32 arrays.
    """
    generator = np.random.default_rng(seed)
    tensors = {}
    for name in sorted(shapes):
        shape = tuple(shapes[name])
        if len(shape) == 4:  # (out, in, height, width)
            tensors[name] = generator.normal(size=shape) * np.sqrt(2 / np.prod(shape[1:]))
        elif name.endswith(".running_var"):
            tensors[name] = generator.uniform(0.5, 1.5, size=shape)
        elif name.endswith(".weight"):
            tensors[name] = generator.uniform(0.3, 0.9, size=shape)
        else:
            tensors[name] = generator.normal(size=shape) * 0.1
    return {name: tensor.astype(np.float32) for name, tensor in tensors.items()}
