"""The networks in Keras, written out: pixels, normalised, to the last feature map. Layers are named as PyTorch's are.

`normalise(x, name, activation=None)` applies the batch norm that `backbone` has chosen, and an activation.
"""

from collections.abc import Callable

import versus.frameworks.keras.runtime  # noqa: F401  before keras
from keras import KerasTensor, layers

from versus.recipe.architectures import ARCHITECTURES, LITE0_STAGES, RESNET50_STAGES

Normalise = Callable[..., KerasTensor]


def efficientnet_lite0(x: KerasTensor, normalise: Normalise) -> KerasTensor:
    """Apply EfficientNet-Lite0 as converted from TensorFlow: SAME padding; layers are named as in timm."""
    x = normalise(_convolve(x, 32, 3, 2, "conv_stem"), "bn1", "relu6")
    for i, (channels, kernel, stride, expansion, blocks) in enumerate(LITE0_STAGES):
        for j in range(blocks):
            x = _lite0_block(x, channels, kernel, stride if j == 0 else 1, expansion, f"blocks.{i}.{j}.", normalise)
    return normalise(_convolve(x, ARCHITECTURES["efficientnet_lite0"].width, 1, 1, "conv_head"), "bn2", "relu6")


def _lite0_block(x: KerasTensor, channels: int, kernel: int, stride: int, expansion: int, name: str,
                 normalise: Normalise) -> KerasTensor:
    """Expand, filter each channel, project; add the input where shapes allow."""
    shortcut, projection = x, "conv_pwl" if expansion > 1 else "conv_pw"
    norms = iter((name + "bn1", name + "bn2", name + "bn3"))
    if expansion > 1:
        x = normalise(_convolve(x, x.shape[-1] * expansion, 1, 1, name + "conv_pw"), next(norms), "relu6")
    x = layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False, name=name + "conv_dw")(x)
    x = normalise(x, next(norms), "relu6")
    x = normalise(_convolve(x, channels, 1, 1, name + projection), next(norms))
    return layers.Add(name=name + "add")([x, shortcut]) if shortcut.shape == x.shape else x


def resnet50(x: KerasTensor, normalise: Normalise) -> KerasTensor:
    """Apply torchvision's ResNet-50, version 1.5: the stride lies in the 3x3 convolution; named as in torchvision."""
    x = normalise(_convolve_padded(x, 64, 7, 2, "conv1"), "bn1", "relu")
    x = layers.ZeroPadding2D(1, name="maxpool.pad")(x)  # after a relu zero is as good as minus infinity
    x = layers.MaxPooling2D(3, 2, name="maxpool")(x)
    for i, (channels, stride, blocks) in enumerate(RESNET50_STAGES, start=1):
        for j in range(blocks):
            x = _resnet50_block(x, channels, stride if j == 0 else 1, f"layer{i}.{j}.", normalise)
    return x


def _resnet50_block(x: KerasTensor, channels: int, stride: int, name: str, normalise: Normalise) -> KerasTensor:
    """Reduce, filter, widen; add the input, projected in each stage's first block."""
    shortcut = x
    if x.shape[-1] != 4 * channels:
        shortcut = normalise(_convolve(x, 4 * channels, 1, stride, name + "downsample.0"), name + "downsample.1")
    x = normalise(_convolve(x, channels, 1, 1, name + "conv1"), name + "bn1", "relu")
    x = normalise(_convolve_padded(x, channels, 3, stride, name + "conv2"), name + "bn2", "relu")
    x = normalise(_convolve(x, 4 * channels, 1, 1, name + "conv3"), name + "bn3")
    return layers.Activation("relu", name=name + "relu")(layers.Add(name=name + "add")([x, shortcut]))


NETWORKS = {"efficientnet_lite0": efficientnet_lite0, "resnet50": resnet50}


def _convolve(x: KerasTensor, channels: int, kernel: int, stride: int, name: str) -> KerasTensor:
    return layers.Conv2D(channels, kernel, stride, "same", use_bias=False, name=name)(x)


def _convolve_padded(x: KerasTensor, channels: int, kernel: int, stride: int, name: str) -> KerasTensor:
    """Pad both sides alike, as PyTorch does: SAME pads a stride of two on the far side only."""
    x = layers.ZeroPadding2D(kernel // 2, name=f"{name}.pad")(x)
    return layers.Conv2D(channels, kernel, stride, "valid", use_bias=False, name=name)(x)
