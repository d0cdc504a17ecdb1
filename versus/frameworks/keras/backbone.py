"""The frozen backbones in Keras: pixels to features."""

from pathlib import Path

import versus.frameworks.keras.runtime  # noqa: F401  before keras
import keras
from keras import layers, ops
from keras.src.applications.resnet import BASE_WEIGHTS_PATH, WEIGHTS_HASHES
from keras.src.backend import config

from versus.recipe import weights
from versus.recipe.weights import ARCHITECTURES, WeightsError

# of each stage: channels, kernel, stride, expansion, blocks (Tan & Le 2019, table 1; Lite: no squeeze-and-excitation)
LITE0_STAGES = [(16, 3, 1, 1, 1), (24, 3, 2, 6, 2), (40, 5, 2, 6, 2), (80, 3, 2, 6, 3), (112, 5, 1, 6, 3),
                (192, 5, 2, 6, 4), (320, 3, 1, 6, 1)]
RESNET50_STAGES = [(64, 1, 3), (128, 2, 4), (256, 2, 6), (512, 2, 3)]  # of each: channels, stride, blocks


class BatchStatistics(layers.BatchNormalization):
    """Normalise by the batch even though frozen, as PyTorch's frozen layers do under `model.train()`.

    The running variance moves by the unbiased variance of the batch, as in torch.nn.BatchNorm2d; Keras's own layer
    would move it by the biased one. Of a single value a channel (one image, whose map is 1 x 1) it is 0/0: the stored
    variance becomes NaN. PyTorch refuses such a batch; here the maker of the batches has to.
    """

    def call(self, inputs, training=None, mask=None):
        if not training:
            return super().call(inputs, training=False)
        mean = _mean_of_each_channel(inputs)
        variance = _mean_of_each_channel(ops.square(inputs - mean))
        count = ops.cast(ops.prod(ops.shape(inputs)[:3]), inputs.dtype)
        self.moving_mean.assign(self.moving_mean * self.momentum + mean * (1 - self.momentum))
        unbiased = variance * (count / (count - 1))
        self.moving_variance.assign(self.moving_variance * self.momentum + unbiased * (1 - self.momentum))
        return ops.batch_normalization(inputs, mean, variance, axis=-1, offset=self.beta, scale=self.gamma,
                                       epsilon=self.epsilon)


def _mean_of_each_channel(x):
    """Average (n, height, width, channels) to (channels,) axis by axis, images in float64, as precisely as PyTorch.

    At float32 `ops.moments` moves Lite0's features by 0.1 % from the float64 ones, this does by 0.001 %.
    """
    of_image = ops.mean(ops.mean(x, axis=2), axis=1)  # (n, channels)
    return ops.cast(ops.mean(ops.cast(of_image, "float64"), axis=0), x.dtype)


def build(model, tensors, batch_norm):
    """Build the frozen backbone of the params section `model` and give it `tensors`.

    With `batch_norm` "batch" and called with `training=True`, batch norm uses the statistics of the batch and moves
    the stored ones. With "frozen" it never does.
    """
    if model.backbone == "resnet50" and model.weights == "native":
        return _applications_resnet50(model, batch_norm)
    architecture = ARCHITECTURES[model.backbone]
    layer = BatchStatistics if batch_norm == "batch" else layers.BatchNormalization

    def normalise(x, name, activation=None):
        x = layer(epsilon=architecture.epsilon, momentum=1 - architecture.momentum, name=name)(x)
        return layers.Activation(activation, name=f"{name}.{activation}")(x) if activation else x

    pixels = keras.Input((model.image_size, model.image_size, 3), name="pixels")
    x = layers.Normalization(mean=architecture.mean, variance=architecture.variance, name="normalization")(pixels)
    x = NETWORKS[model.backbone](x, normalise)
    backbone = keras.Model(pixels, layers.GlobalAveragePooling2D(name="pool")(x), name="backbone")
    backbone.trainable = False
    load(backbone, tensors)
    return backbone


def efficientnet_lite0(x, normalise):
    """Apply EfficientNet-Lite0 as converted from TensorFlow: SAME padding; layers are named as in timm."""
    x = normalise(_convolve(x, 32, 3, 2, "conv_stem"), "bn1", "relu6")
    for i, (channels, kernel, stride, expansion, blocks) in enumerate(LITE0_STAGES):
        for j in range(blocks):
            x = _lite0_block(x, channels, kernel, stride if j == 0 else 1, expansion, f"blocks.{i}.{j}.", normalise)
    return normalise(_convolve(x, 1280, 1, 1, "conv_head"), "bn2", "relu6")


def _lite0_block(x, channels, kernel, stride, expansion, name, normalise):
    """Expand, filter each channel, project; add the input where shapes allow."""
    shortcut, projection = x, "conv_pwl" if expansion > 1 else "conv_pw"
    norms = iter((name + "bn1", name + "bn2", name + "bn3"))
    if expansion > 1:
        x = normalise(_convolve(x, x.shape[-1] * expansion, 1, 1, name + "conv_pw"), next(norms), "relu6")
    x = layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False, name=name + "conv_dw")(x)
    x = normalise(x, next(norms), "relu6")
    x = normalise(_convolve(x, channels, 1, 1, name + projection), next(norms))
    return layers.Add(name=name + "add")([x, shortcut]) if shortcut.shape == x.shape else x


def resnet50(x, normalise):
    """Apply torchvision's ResNet-50, version 1.5: the stride lies in the 3x3 convolution; named as in torchvision."""
    x = normalise(_convolve_padded(x, 64, 7, 2, "conv1"), "bn1", "relu")
    x = layers.ZeroPadding2D(1, name="maxpool.pad")(x)  # after a relu zero is as good as minus infinity
    x = layers.MaxPooling2D(3, 2, name="maxpool")(x)
    for i, (channels, stride, blocks) in enumerate(RESNET50_STAGES, start=1):
        for j in range(blocks):
            x = _resnet50_block(x, channels, stride if j == 0 else 1, f"layer{i}.{j}.", normalise)
    return x


def _resnet50_block(x, channels, stride, name, normalise):
    """Reduce, filter, widen; add the input, projected in each stage's first block."""
    shortcut = x
    if x.shape[-1] != 4 * channels:
        shortcut = normalise(_convolve(x, 4 * channels, 1, stride, name + "downsample.0"), name + "downsample.1")
    x = normalise(_convolve(x, channels, 1, 1, name + "conv1"), name + "bn1", "relu")
    x = normalise(_convolve_padded(x, channels, 3, stride, name + "conv2"), name + "bn2", "relu")
    x = normalise(_convolve(x, 4 * channels, 1, 1, name + "conv3"), name + "bn3")
    return layers.Activation("relu", name=name + "relu")(layers.Add(name=name + "add")([x, shortcut]))


NETWORKS = {"efficientnet_lite0": efficientnet_lite0, "resnet50": resnet50}


def _convolve(x, channels, kernel, stride, name):
    return layers.Conv2D(channels, kernel, stride, "same", use_bias=False, name=name)(x)


def _convolve_padded(x, channels, kernel, stride, name):
    """Pad both sides alike, as PyTorch does: SAME pads a stride of two on the far side only."""
    x = layers.ZeroPadding2D(kernel // 2, name=f"{name}.pad")(x)
    return layers.Conv2D(channels, kernel, stride, "valid", use_bias=False, name=name)(x)


def load(backbone, tensors):
    """Copy `tensors`, numpy arrays under PyTorch's names, into the backbone; raise WeightsError unless all fit."""
    weights.check(tensors, shapes(backbone), "backbone")
    for name, variable, axes in _variables(backbone):
        variable.assign(tensors[name].transpose(axes))


def shapes(backbone):
    """The shape of each of the backbone's tensors by PyTorch's name."""
    return {name: tuple(variable.shape[axes.index(axis)] for axis in range(len(axes)))
            for name, variable, axes in _variables(backbone)}


def statistics(backbone):
    """The running means and variances of batch norm by PyTorch's name, numpy arrays (channels,)."""
    return {name: ops.convert_to_numpy(variable) for name, variable, _ in _variables(backbone)
            if name.endswith(("running_mean", "running_var"))}


def move(backbone, statistics):
    """Put batch norm's running means and variances, as `statistics` returned them, into the backbone."""
    for name, variable, _ in _variables(backbone):
        if name in statistics:
            variable.assign(statistics[name])


# of each kind of layer: PyTorch's names of its variables, and the axes of PyTorch's tensor in Keras's order
_LAYOUTS = [
    (layers.DepthwiseConv2D, [("weight", (2, 3, 0, 1))]),
    (layers.Conv2D, [("weight", (2, 3, 1, 0)), ("bias", (0,))]),
    (layers.BatchNormalization, [(name, (0,)) for name in ("weight", "bias", "running_mean", "running_var")]),
]


def _variables(backbone):
    """Yield each of the backbone's variables: PyTorch's name, variable, axes of PyTorch's tensor in Keras's order."""
    for layer in backbone.layers:
        layout = next((layout for kind, layout in _LAYOUTS if isinstance(layer, kind)), [])
        for (name, axes), variable in zip(layout, layer.variables):
            yield f"{layer.name}.{name}", variable, axes


def _applications_resnet50(model, batch_norm):
    """Build keras.applications' own ResNet-50, version 1, with its own ImageNet weights, downloaded if need be.

    Its mean is imagenet_utils.preprocess_input's, mode "caffe"; the BGR order of that mode is turned in the first
    kernel, so that every backbone takes RGB.
    """
    pixels = keras.Input((model.image_size, model.image_size, 3), name="pixels")
    x = layers.Normalization(mean=(123.68, 116.779, 103.939), variance=(1.0,) * 3, name="normalization")(pixels)
    backbone = keras.applications.ResNet50(include_top=False, weights=_imagenet_resnet50(), input_tensor=x,
                                           pooling="avg", name="backbone")
    kernel = backbone.get_layer("conv1_conv").kernel
    kernel.assign(ops.flip(kernel, axis=2))
    if batch_norm == "batch":
        backbone = _with_batch_statistics(backbone)
    backbone.trainable = False
    return backbone


def _imagenet_resnet50():
    """Find keras.applications' ImageNet file in Keras's cache, downloading it first if need be; check its checksum.

    Keras would check it, too, but delete a wrong file of the user's when it cannot download another.
    """
    name, checksum = "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5", WEIGHTS_HASHES["resnet50"][1]
    url, path = BASE_WEIGHTS_PATH + name, Path(config.keras_home()) / "models" / name
    remedy = f"download {url} elsewhere and put it at {path}, or use model.weights: shared"
    if path.exists():
        weights.check_file(path, "md5", checksum, remedy)
        return str(path)
    try:
        return keras.utils.get_file(name, url, cache_subdir="models", file_hash=checksum)
    except Exception as error:  # Keras's downloader raises whatever it meets, plain Exception included
        raise WeightsError(f"resnet50: got no ImageNet weights for Keras ({error}); {remedy}") from None


def _with_batch_statistics(backbone):
    """Copy a backbone, each BatchNormalization as BatchStatistics."""
    def convert(layer):
        kind = BatchStatistics if isinstance(layer, layers.BatchNormalization) else type(layer)
        return kind.from_config(layer.get_config())

    copy = keras.models.clone_model(backbone, clone_function=convert)
    copy.set_weights(backbone.get_weights())
    return copy
