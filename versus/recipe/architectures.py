"""What all frameworks must know of a backbone: a new backbone is a row here and a function in each `networks`."""

from typing import NamedTuple

STRIDE = 32  # pixels of the image to one of the last feature map, rounded up, in all backbones


class Architecture(NamedTuple):
    """The constants of a backbone. Mean and variance are of pixel values (0..255), RGB.

    Both are kept in float32 at any precision, as keras.layers.Normalization does.
    """

    width: int                                # features of an image
    mean: tuple[float, float, float]
    variance: tuple[float, float, float]
    epsilon: float                            # of batch norm
    momentum: float                           # the new batch's share in the running statistics, as PyTorch counts it


ARCHITECTURES = {
    # its own normalisation, (x - 127) / 128: that of ImageNet changes the features by 66 %
    "efficientnet_lite0": Architecture(1280, (127.0, 127.0, 127.0), (128.0**2, 128.0**2, 128.0**2), 1e-3, 0.1),
    # torchvision.models.ResNet50_Weights.IMAGENET1K_V1.transforms, times 255
    "resnet50": Architecture(2048, (123.675, 116.28, 103.53), (58.395**2, 57.12**2, 57.375**2), 1e-5, 0.1),
}

# the stages of both networks, for frameworks that write them out
# of each: channels, kernel, stride, expansion, blocks (Tan & Le 2019, table 1; Lite: no squeeze-and-excitation)
LITE0_STAGES = [(16, 3, 1, 1, 1), (24, 3, 2, 6, 2), (40, 5, 2, 6, 2), (80, 3, 2, 6, 3), (112, 5, 1, 6, 3),
                (192, 5, 2, 6, 4), (320, 3, 1, 6, 1)]
RESNET50_STAGES = [(64, 1, 3), (128, 2, 4), (256, 2, 6), (512, 2, 3)]  # of each: channels, stride, blocks (He 2015)
