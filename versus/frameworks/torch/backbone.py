"""The frozen backbones in PyTorch: pixels to features."""

import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils import fuse_conv_bn_eval

from versus import params
from versus.artifacts.features import Statistics
from versus.frameworks.torch.networks import NETWORKS, Normalise, SameConv2d
from versus.recipe import weights
from versus.recipe.architectures import ARCHITECTURES
from versus.recipe.weights import Pretrained, Tensors

_COLUMNS = 2**12  # numbers in a row whose columns are summed: more are slower, fewer less precise


class BatchStatistics(nn.BatchNorm2d):
    """Normalise by the batch in training mode as PyTorch's own layer does, but precisely in the layout channels_last.

    There convolutions are twice as fast, but the sums of PyTorch's own layer are not precise: it changes Lite0's
    float32 features by 0.3 % from the float64 ones, in the default layout by 0.002 %, as this does in either one.
    It writes over its input, which no other layer needs.
    """

    running_mean: torch.Tensor
    running_var: torch.Tensor
    momentum: float

    def forward(self, x):
        mean, variance = self.running_mean, self.running_var
        if self.training:
            mean, variance = _of_each_channel(x, self.weight.dtype)
            count = x.numel() // self.num_features
            self.running_mean.mul_(1 - self.momentum).add_(mean * self.momentum)
            self.running_var.mul_(1 - self.momentum).add_(variance * (count / (count - 1)) * self.momentum)
        if x.dtype != self.weight.dtype:  # bfloat16: with two types addcmul takes ten times as long
            return functional.batch_norm(x, mean, variance, self.weight, self.bias, eps=self.eps)
        scale = self.weight / (variance + self.eps).sqrt()
        shift = self.bias - mean * scale
        return torch.addcmul(shift[:, None, None], x, scale[:, None, None], out=x)


def _of_each_channel(x, dtype):
    """Return mean and biased variance of (n, channels, height, width): (channels,) each, of `dtype`.

    PyTorch sums each column of (rows, columns) one by one, which is fast but not precise where there are many rows. So
    several pixels lie in one row, each has sums of its own, and these are put together in float64.
    """
    pixels, channels = x.permute(0, 2, 3, 1).reshape(-1, x.shape[1]), x.shape[1]  # in channels_last nothing is copied
    beside = _largest_divisor(len(pixels), max(1, _COLUMNS // channels))
    # what nn.SyncBatchNorm is made of: it only reads, while var_mean takes three times as long
    running = pixels.new_zeros(beside * channels, dtype=dtype)  # their type is that of the sums
    means, variances = torch.batch_norm_update_stats(pixels.reshape(-1, beside * channels), running, running, 0.0)
    means, variances = (each.reshape(beside, channels).double() for each in (means, variances))
    mean = means.mean(0)
    variance = (variances + (means - mean).square()).mean(0)
    return mean.to(dtype), variance.to(dtype)


def _largest_divisor(number: int, limit: int) -> int:
    return next(divisor for divisor in range(min(number, limit), 0, -1) if number % divisor == 0)


# by `batch_norm`: see `build`
_LAYERS = {"saved": nn.BatchNorm2d, "frozen": nn.BatchNorm2d, "batch": BatchStatistics,
           "batch_not_stored": BatchStatistics}


class Backbone(nn.Module):
    """Normalise pixels (n, 3, size, size), RGB, 0..255, and pool the network's output to features (n, width)."""

    def __init__(self, name: str, normalise: Normalise):
        super().__init__()
        architecture = ARCHITECTURES[name]
        mean, variance = (torch.tensor(values, dtype=torch.float32).to(torch.get_default_dtype())[:, None, None]
                          for values in (architecture.mean, architecture.variance))
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("deviation", variance.sqrt(), persistent=False)
        self.network = NETWORKS[name](normalise)
        self.mirrored, self.precision = False, "full"

    def forward(self, pixels):
        if self.mirrored:
            pixels = pixels.flip(2, 3)
        normalised = (pixels - self.mean) / self.deviation
        if self.precision == "full":
            return self.network(normalised)
        with torch.autocast(pixels.device.type, torch.bfloat16):
            return self.network(normalised)

    def mirror(self) -> None:
        """Mirror images and kernels on both axes, which changes no feature.

        Without it images are copied into larger ones for SAME padding: a quarter of the time of frozen Lite0.
        """
        for layer in self.modules():
            if isinstance(layer, SameConv2d):
                layer.mirror()
                self.mirrored = True


def build(model: params.Model, pretrained: Pretrained, batch_norm: str, precision: str = "full") -> Backbone:
    """Build the frozen backbone of the params section `model` with the weights `pretrained`.

    In training mode, as under `model.train()`, batch norm uses the statistics of the batch: with `batch_norm` "batch"
    it also updates the stored ones, with "batch_not_stored" it does not. With "frozen" it is part of the convolutions,
    which is faster, and its statistics can no longer be set; "saved" is the same with PyTorch's own layers.
    With the `precision` "bfloat16" convolutions round to that, and so does what lies between them.
    """
    backbone = network(model.backbone, model.image_size, batch_norm)
    backbone.precision = precision
    if precision == "bfloat16":
        for layer in backbone.modules():
            if isinstance(layer, nn.AdaptiveAvgPool2d):  # autocast would round what it gives
                layer.register_forward_pre_hook(lambda layer, inputs: inputs[0].float())
    copy_weights(backbone, pretrained.tensors)
    if batch_norm != "saved":
        backbone.mirror()
    if batch_norm == "frozen":
        _fuse_batch_norm(backbone)
    return backbone.requires_grad_(False)


def network(name: str, image_size: int, batch_norm: str = "saved") -> Backbone:
    """Build a backbone with weights yet to be loaded: pixels (n, 3, size, size), 0..255, to features (n, width).

    It takes images of any size; batch norm is chosen by its mode and its momentum.
    """
    architecture = ARCHITECTURES[name]
    momentum = 0.0 if batch_norm == "batch_not_stored" else architecture.momentum
    backbone = Backbone(name, lambda channels: _LAYERS[batch_norm](channels, architecture.epsilon, momentum))
    return backbone.train(batch_norm not in ("saved", "frozen"))


def _fuse_batch_norm(backbone: Backbone) -> None:
    """Multiply each batch norm into the convolution before it. It is the next layer in all networks."""
    layers = [item for item in backbone.named_modules() if isinstance(item[1], (nn.Conv2d, nn.BatchNorm2d))]
    for (convolution, before), (norm, after) in zip(layers[::2], layers[1::2], strict=True):
        backbone.set_submodule(convolution, fuse_conv_bn_eval(before, after))
        backbone.set_submodule(norm, nn.Identity())


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
    return {name: tensor.cpu().numpy().copy() for name, tensor in backbone.network.state_dict().items()
            if name.endswith(("running_mean", "running_var"))}


def set_statistics(backbone: Backbone, values: Statistics) -> None:
    """Set batch norm's running means and variances to `values`, as `statistics` returns them."""
    tensors = {name: torch.from_numpy(tensor) for name, tensor in values.items()}
    backbone.network.load_state_dict(tensors, strict=False)


def decay(backbone: Backbone) -> float:
    """Return the share of the running statistics that a batch in training mode leaves: 1.0 where it leaves all."""
    momentum = [layer.momentum for layer in backbone.modules() if isinstance(layer, BatchStatistics)]
    return 1 - momentum[0] if momentum else 1.0
