"""The networks in PyTorch, from timm and torchvision: pixels, normalised, to pooled features.

Each is imported by the network that needs it: the saved classifier, which `predict` runs, needs neither.
"""

from torch import nn


def efficientnet_lite0() -> nn.Module:
    """Build EfficientNet-Lite0 as converted from TensorFlow: SAME padding, batch-norm epsilon 1e-3."""
    import timm
    return timm.create_model("tf_efficientnet_lite0", num_classes=0)


def resnet50() -> nn.Module:
    """Build torchvision's ResNet-50, version 1.5: the stride lies in the 3x3 convolution."""
    import torchvision
    network = torchvision.models.resnet50()
    network.fc = nn.Identity()
    return network


NETWORKS = {"efficientnet_lite0": efficientnet_lite0, "resnet50": resnet50}
