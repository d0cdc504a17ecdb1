"""The frozen backbones in Keras: pixels to features."""

from collections.abc import Iterator
from contextlib import contextmanager

import versus.frameworks.keras.runtime  # noqa: F401  before keras
import keras
import tensorflow as tf
from keras import layers, ops

from versus import params
from versus.artifacts.features import Statistics
from versus.frameworks.keras.networks import NETWORKS
from versus.frameworks.keras.pretrained import applications_resnet50
from versus.recipe import weights
from versus.recipe.architectures import ARCHITECTURES
from versus.recipe.weights import Pretrained, Tensors

_PIXELS = 512  # that are summed in float32: fewer take longer, more are less precise


class _Shift(layers.BatchNormalization):
    """What is left of a frozen batch norm that is multiplied into the convolution before it: see `_fuse_batch_norm`."""

    def call(self, inputs, training=None, mask=None):
        return tf.nn.bias_add(inputs, tf.cast(self.beta, inputs.dtype))


class BatchStatistics(layers.BatchNormalization):
    """Normalise by the batch even though frozen, as PyTorch's frozen layers do under `model.train()`.

    With a momentum of 1 the stored statistics never change, as in Keras 2.2.2.
    The running variance is updated with the unbiased variance of the batch, as in torch.nn.BatchNorm2d; Keras's own
    layer would use the biased one. With a single value a channel (one image with a 1 x 1 feature map) that is 0/0 and
    the stored variance becomes NaN. PyTorch raises an error for such a batch; here `extraction.check_batches` does.
    """

    def __init__(self, **settings):
        super().__init__(autocast=False, **settings)  # statistics are as precise as the variables, not the inputs

    def call(self, inputs, training=None, mask=None):
        if not training:
            return self._normalise(inputs, self.moving_mean, self.moving_variance)
        mean, variance = self._of_each_channel(ops.cast(inputs, self.variable_dtype))
        variance = ops.maximum(variance, 0)  # of a constant channel it can round to less
        count = ops.cast(ops.prod(ops.shape(inputs)[:3]), self.variable_dtype)
        self.moving_mean.assign(self.moving_mean * self.momentum + mean * (1 - self.momentum))
        unbiased = variance * (count / (count - 1))
        self.moving_variance.assign(self.moving_variance * self.momentum + unbiased * (1 - self.momentum))
        return self._normalise(inputs, mean, variance)

    def _of_each_channel(self, inputs):
        """Return mean and biased variance of (n, height, width, channels): (channels,) each."""
        mean, pixels = _mean(inputs), _in_rows(inputs)
        # the mean square less the squared mean only reads, and is precise: few numbers are added before float64
        of_row = ops.cast(tf.raw_ops.EuclideanNorm(input=pixels, axis=[2]), "float64")  # (n, rows, channels)
        square = ops.mean(ops.square(of_row), axis=(0, 1)) / pixels.shape[2]
        return ops.cast(mean, inputs.dtype), ops.cast(square - ops.square(mean), inputs.dtype)

    def _normalise(self, inputs, mean, variance):
        """Normalise (n, height, width, channels) by the statistics of each channel, in one operation.

        Keras multiplies and adds in two, which takes a quarter of the time of EfficientNet-Lite0 in inference.
        """
        if inputs.dtype == "float64":  # which the operation does not know
            return ops.batch_normalization(inputs, mean, variance, -1, self.beta, self.gamma, self.epsilon)
        scale, offset, mean, variance = map(tf.convert_to_tensor, (self.gamma, self.beta, mean, variance))
        return tf.compat.v1.nn.fused_batch_norm(inputs, scale, offset, mean, variance, self.epsilon,
                                                is_training=False)[0]


class _WideningStatistics(BatchStatistics):
    """`BatchStatistics` of what a 1 x 1 `convolution` gives, from its inputs alone, which have fewer channels.

    Its outputs are sums of its inputs, so their means and variances follow from the inputs' means and covariances, and
    can be multiplied into its kernel before it runs: what it gives, which is large, is normalised as it is written.
    """

    def __init__(self, convolution, **settings):
        super().__init__(**settings)
        self.convolution = convolution

    @staticmethod
    def suits(convolution):
        """Say whether this is faster: the inputs' covariances are fewer than the inputs."""
        if not isinstance(convolution, layers.Conv2D) or convolution.kernel_size + convolution.strides != (1, 1, 1, 1):
            return False
        _, height, width, channels = convolution.input.shape
        return height * width > channels < convolution.filters

    def build(self, input_shape):
        super().build(self.compute_output_shape(input_shape))
        self.input_spec = None  # which expects as many channels as it normalises

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.convolution.filters)

    def _of_each_channel(self, inputs):
        mean, (height, width, channels) = _mean(inputs), inputs.shape[1:]
        pixels = ops.reshape(inputs, (-1, height * width, channels))
        products = ops.cast(tf.matmul(pixels, pixels, transpose_a=True), "float64")  # (n, channels, channels)
        covariance = ops.mean(products, axis=0) / (height * width) - ops.outer(mean, mean)
        kernel = ops.cast(self.convolution.kernel[0, 0], "float64")                  # (channels, filters)
        variance = ops.sum(kernel * ops.matmul(covariance, kernel), axis=0)
        return ops.cast(ops.matmul(mean, kernel), inputs.dtype), ops.cast(variance, inputs.dtype)

    def _normalise(self, inputs, mean, variance):
        scale = self.gamma / ops.sqrt(variance + self.epsilon)
        kernel, bias = self.convolution.kernel * scale, self.beta - mean * scale
        outputs = tf.nn.conv2d(inputs, tf.cast(kernel, inputs.dtype), 1, "VALID")
        return tf.nn.bias_add(outputs, tf.cast(bias, inputs.dtype))


def _mean(x):
    """Average (n, height, width, channels) to (channels,) in float64, row by row, as precisely as PyTorch.

    At float32 `ops.moments` changes Lite0's features by 0.1 % from the float64 ones, this only by 0.001 %.
    """
    of_row = ops.mean(_in_rows(x), axis=2)  # (n, rows, channels)
    return ops.mean(ops.cast(of_row, "float64"), axis=(0, 1))


def _in_rows(x):
    """Reshape (n, height, width, channels) to (n, rows, pixels, channels): the fewest rows of at most _PIXELS."""
    _, height, width, channels = x.shape
    rows = next(rows for rows in range(1, height + 1)
                if height % rows == 0 and (height // rows * width <= _PIXELS or rows == height))
    return ops.reshape(x, (-1, rows, height // rows * width, channels))


# by `batch_norm`: see `build`
_LAYERS = {"saved": layers.BatchNormalization, "frozen": _Shift, "batch": BatchStatistics,
           "batch_not_stored": BatchStatistics}


def build(model: params.Model, pretrained: Pretrained, batch_norm: str, precision: str = "full") -> keras.Model:
    """Build the frozen backbone of the params section `model` with the weights `pretrained`.

    Called with `training=True`, batch norm uses the statistics of the batch: with `batch_norm` "batch" it also updates
    the stored ones, with "batch_not_stored" it does not. With "frozen" it is part of the convolutions, which is
    faster, and its statistics can no longer be set; "saved" is the same with Keras's own layers, which can be read back
    without this code. With the `precision` "bfloat16" convolutions round to that, and so does what lies between them.
    """
    with _policy(precision):
        if not pretrained.shared:
            backbone = _with_batch_norm(applications_resnet50(model.image_size), batch_norm)
        else:
            backbone = network(model.backbone, model.image_size, batch_norm)
            copy_weights(backbone, pretrained.tensors)
    if batch_norm == "frozen":
        _fuse_batch_norm(backbone)
    backbone.trainable = False
    return backbone


def network(name: str, image_size: int, batch_norm: str = "saved") -> keras.Model:
    """Build a backbone with weights yet to be loaded: pixels (n, size, size, 3), 0..255, to features (n, width)."""
    architecture = ARCHITECTURES[name]
    settings = {"epsilon": architecture.epsilon, "momentum": 1 - architecture.momentum} | _momentum(batch_norm)

    def normalise(x, name, activation=None):
        convolution, layer = x._keras_history.operation, _LAYERS[batch_norm]
        if layer is BatchStatistics and _WideningStatistics.suits(convolution):
            x = _WideningStatistics(convolution, name=name, **settings)(convolution.input)
        else:
            x = layer(name=name, **settings)(x)
        return layers.Activation(activation, name=f"{name}.{activation}")(x) if activation else x

    pixels = keras.Input((image_size, image_size, 3), name="pixels")
    full = keras.config.floatx()
    x = layers.Normalization(mean=architecture.mean, variance=architecture.variance, name="normalization",
                             dtype=full)(pixels)
    x = NETWORKS[name](x, normalise)
    return keras.Model(pixels, layers.GlobalAveragePooling2D(name="pool", dtype=full)(x), name="backbone")


@contextmanager
def _policy(precision: str) -> Iterator[None]:
    """Let the layers that are made meanwhile compute in a precision; their variables stay as they are."""
    before = keras.config.dtype_policy()
    if precision == "bfloat16":
        keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _fuse_batch_norm(backbone: keras.Model) -> None:
    """Multiply each batch norm into the convolution before it, and let it only add what is left."""
    for norm in backbone.layers:
        if isinstance(norm, _Shift):
            convolution = norm.input._keras_history.operation
            factor = norm.gamma / ops.sqrt(norm.moving_variance + norm.epsilon)
            norm.beta.assign(norm.beta - norm.moving_mean * factor)
            if convolution.use_bias:
                convolution.bias.assign(convolution.bias * factor)
            if isinstance(convolution, layers.DepthwiseConv2D):
                factor = factor[:, None]
            convolution.kernel.assign(convolution.kernel * factor)


def copy_weights(backbone: keras.Model, tensors: Tensors) -> None:
    """Copy `tensors`, numpy arrays under PyTorch's names, into the backbone; raise WeightsError unless all fit."""
    weights.check(tensors, shapes(backbone), "backbone")
    for name, variable, axes in _variables(backbone):
        variable.assign(tensors[name].transpose(axes))


def shapes(backbone: keras.Model) -> dict[str, tuple[int, ...]]:
    """Return the shape of each of the backbone's tensors by PyTorch's name."""
    return {name: tuple(variable.shape[axes.index(axis)] for axis in range(len(axes)))
            for name, variable, axes in _variables(backbone)}


def statistics(backbone: keras.Model) -> Statistics:
    """Return the running means and variances of batch norm by PyTorch's name, numpy arrays (channels,)."""
    return {name: ops.convert_to_numpy(variable) for name, variable, _ in _variables(backbone)
            if name.endswith(("running_mean", "running_var"))}


def set_statistics(backbone: keras.Model, values: Statistics) -> None:
    """Set batch norm's running means and variances to `values`, as `statistics` returns them."""
    for name, variable, _ in _variables(backbone):
        if name in values:
            variable.assign(values[name])


def decay(backbone: keras.Model) -> float:
    """Return the share of the running statistics that a batch in training mode leaves: 1.0 where it leaves all."""
    return next((layer.momentum for layer in backbone.layers if isinstance(layer, BatchStatistics)), 1.0)


# of each kind of layer: PyTorch's names of its variables, and the axes of PyTorch's tensor in Keras's order
_LAYOUTS: list[tuple[type, list[tuple[str, tuple[int, ...]]]]] = [
    (layers.DepthwiseConv2D, [("weight", (2, 3, 0, 1))]),
    (layers.Conv2D, [("weight", (2, 3, 1, 0)), ("bias", (0,))]),
    (layers.BatchNormalization, [(name, (0,)) for name in ("weight", "bias", "running_mean", "running_var")]),
]


def _variables(backbone: keras.Model) -> Iterator[tuple[str, keras.Variable, tuple[int, ...]]]:
    """Yield each of the backbone's variables: PyTorch's name, variable, axes of PyTorch's tensor in Keras's order."""
    inner = [layer.convolution for layer in backbone.layers if isinstance(layer, _WideningStatistics)]
    for layer in inner + backbone.layers:
        layout = next((layout for kind, layout in _LAYOUTS if isinstance(layer, kind)), [])
        for (name, axes), variable in zip(layout, layer.variables):
            yield f"{layer.name}.{name}", variable, axes


def _momentum(batch_norm: str) -> dict[str, float]:
    """Return the setting of batch norm under which the stored statistics stay as they are; {} where they change."""
    return {"momentum": 1.0} if batch_norm == "batch_not_stored" else {}


def _with_batch_norm(backbone: keras.Model, batch_norm: str) -> keras.Model:
    """Copy a backbone with each batch norm replaced."""
    def convert(layer):
        if isinstance(layer, layers.BatchNormalization):
            return _LAYERS[batch_norm].from_config(layer.get_config() | _momentum(batch_norm))
        return type(layer).from_config(layer.get_config())

    copy = keras.models.clone_model(backbone, clone_function=convert)
    copy.set_weights(backbone.get_weights())
    return copy
