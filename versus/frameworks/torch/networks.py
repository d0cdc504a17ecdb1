"""The networks in PyTorch: pixels, normalised, to pooled features.

`normalise(channels)` makes the batch norm that `backbone` has chosen.
"""

from collections.abc import Callable

from torch import nn
from torch.nn import functional

from versus.recipe.architectures import ARCHITECTURES, LITE0_STAGES

Normalise = Callable[[int], nn.Module]


class SameConv2d(nn.Conv2d):
    """A convolution with TensorFlow's SAME padding: where that is odd, the far side gets one pixel more."""

    def __init__(self, inputs: int, channels: int, kernel: int, stride: int = 1, groups: int = 1):
        super().__init__(inputs, channels, kernel, stride, kernel // 2, groups=groups, bias=False)
        self.mirrored = False

    def mirror(self) -> None:
        """Mirror the kernel on both axes, for images that are mirrored.

        In those the near side needs the extra pixel. Padding both sides alike gives it, and PyTorch does that without
        a copy; the far side's extra pixel is beyond the last step of a stride of two.
        """
        self.weight = nn.Parameter(self.weight.flip(2, 3))
        self.mirrored = True

    def forward(self, x):
        if self.mirrored:
            return super().forward(x)
        (kernel, _), (stride, _) = self.kernel_size, self.stride
        height, width = (max((length - 1) // stride * stride + kernel - length, 0) for length in x.shape[2:])
        x = functional.pad(x, (width // 2, width - width // 2, height // 2, height - height // 2))
        return functional.conv2d(x, self.weight, self.bias, self.stride, groups=self.groups)


def efficientnet_lite0(normalise: Normalise) -> nn.Module:
    """Build EfficientNet-Lite0 as converted from TensorFlow: SAME padding; layers are named as in timm."""
    inputs, width = 32, ARCHITECTURES["efficientnet_lite0"].width
    stages = nn.Sequential()
    for channels, kernel, stride, expansion, blocks in LITE0_STAGES:
        stage = nn.Sequential()
        for j in range(blocks):
            stage.append(_Lite0Block(inputs, channels, kernel, stride if j == 0 else 1, expansion, normalise))
            inputs = channels
        stages.append(stage)
    network = nn.Sequential()
    _add(network, "conv_stem", SameConv2d(3, 32, 3, 2), "bn1", normalise(32), activated=True)
    network.add_module("blocks", stages)
    _add(network, "conv_head", SameConv2d(inputs, width, 1), "bn2", normalise(width), activated=True)
    network.add_module("pool", nn.AdaptiveAvgPool2d(1))
    network.add_module("flatten", nn.Flatten())
    return network


class _Lite0Block(nn.Sequential):
    """Expand, filter each channel, project; add the input where shapes allow."""

    def __init__(self, inputs: int, channels: int, kernel: int, stride: int, expansion: int, normalise: Normalise):
        super().__init__()
        wide, projection = inputs * expansion, "conv_pwl" if expansion > 1 else "conv_pw"
        norms = iter(("bn1", "bn2", "bn3"))
        if expansion > 1:
            _add(self, "conv_pw", SameConv2d(inputs, wide, 1), next(norms), normalise(wide), activated=True)
        _add(self, "conv_dw", SameConv2d(wide, wide, kernel, stride, groups=wide), next(norms), normalise(wide),
             activated=True)
        _add(self, projection, SameConv2d(wide, channels, 1), next(norms), normalise(channels), activated=False)
        self.shortcut = stride == 1 and inputs == channels

    def forward(self, x):
        return super().forward(x) + x if self.shortcut else super().forward(x)


def _add(network: nn.Sequential, name: str, convolution: nn.Module, norm_name: str, norm: nn.Module,
         activated: bool) -> None:
    """Add a convolution, its batch norm and, if `activated`, relu6."""
    network.add_module(name, convolution)
    network.add_module(norm_name, norm)
    if activated:
        network.add_module(f"{norm_name}_relu6", nn.ReLU6(inplace=True))


def resnet50(normalise: Normalise) -> nn.Module:
    """Build torchvision's ResNet-50, version 1.5: the stride lies in the 3x3 convolution."""
    import torchvision  # only here: it takes a second, which Lite0 and saved classifiers need not wait
    network = torchvision.models.resnet50(norm_layer=normalise)
    network.fc = nn.Identity()
    return network


NETWORKS = {"efficientnet_lite0": efficientnet_lite0, "resnet50": resnet50}
