"""The frozen backbones in PyTorch: pixels to features."""

import torch
from torch import nn

from versus import params
from versus.artifacts.features import Statistics
from versus.frameworks.torch.networks import NETWORKS
from versus.recipe import weights
from versus.recipe.architectures import ARCHITECTURES
from versus.recipe.weights import Pretrained, Tensors


class Backbone(nn.Module):
    """Normalise pixels (n, 3, size, size), RGB, 0..255, and pool the network's output to features (n, width)."""

    def __init__(self, name: str):
        super().__init__()
        architecture = ARCHITECTURES[name]
        mean, variance = (torch.tensor(values, dtype=torch.float32).to(torch.get_default_dtype())[:, None, None]
                          for values in (architecture.mean, architecture.variance))
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("deviation", variance.sqrt(), persistent=False)
        self.network = NETWORKS[name]()

    def forward(self, pixels):
        return self.network((pixels - self.mean) / self.deviation)


def build(model: params.Model, pretrained: Pretrained, batch_norm: str) -> Backbone:
    """Build the frozen backbone of the params section `model` with the weights `pretrained`.

    In training mode, as under `model.train()`, batch norm uses the statistics of the batch: with `batch_norm` "batch"
    it also updates the stored ones, with "batch_not_stored" it does not. With "frozen" it is in evaluation mode.
    """
    backbone = network(model.backbone, model.image_size, batch_norm)
    copy_weights(backbone, pretrained.tensors)
    return backbone.requires_grad_(False)


def network(name: str, image_size: int, batch_norm: str = "frozen") -> Backbone:
    """Build a backbone with weights yet to be loaded: pixels (n, 3, size, size), 0..255, to features (n, width).

    It takes images of any size; batch norm is chosen by its mode and its momentum.
    """
    backbone = Backbone(name).train(batch_norm != "frozen")
    if batch_norm == "batch_not_stored":
        for layer in backbone.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.momentum = 0.0
    return backbone


def copy_weights(backbone: Backbone, tensors: Tensors) -> None:
    """Copy `tensors`, numpy arrays under PyTorch's names, into the backbone; raise WeightsError unless all fit."""
    weights.check(tensors, shapes(backbone), "backbone")
    state = {name: torch.from_numpy(tensor) for name, tensor in tensors.items()}
    backbone.network.load_state_dict(state, strict=False)  # only num_batches_tracked is left out


def shapes(backbone: Backbone) -> dict[str, tuple[int, ...]]:
    """Return the shape of each of the backbone's tensors by PyTorch's name."""
    return {name: tuple(tensor.shape) for name, tensor in backbone.network.state_dict().items()
            if not name.endswith("num_batches_tracked")}


def statistics(backbone: Backbone) -> Statistics:
    """Return the running means and variances of batch norm by PyTorch's name, numpy arrays (channels,)."""
    return {name: tensor.numpy().copy() for name, tensor in backbone.network.state_dict().items()
            if name.endswith(("running_mean", "running_var"))}


def set_statistics(backbone: Backbone, values: Statistics) -> None:
    """Set batch norm's running means and variances to `values`, as `statistics` returns them."""
    tensors = {name: torch.from_numpy(tensor) for name, tensor in values.items()}
    backbone.network.load_state_dict(tensors, strict=False)
