"""The backbones in Keras: layers against scipy, batch norm of the batch, and keras.applications' own ResNet-50."""

import numpy as np
import pytest
import versus.frameworks.keras.runtime  # noqa: F401  before keras
import keras
from scipy import signal

from tests.frameworks import adapters_keras
from tests.helpers.backbones import MODELS, PIXELS, distance, mean_and_variance, normalise, updated
from tests.helpers.processors import needs_bfloat16
from versus.frameworks.keras import backbone as backbones
from versus.frameworks.keras import classifier
from versus.recipe import draws
from versus.recipe.weights import Pretrained

NATIVE = Pretrained({}, shared=False)


@pytest.fixture(scope="module")
def resnet50(tensors):
    return backbones.build(MODELS["resnet50"], Pretrained(tensors["resnet50"]), "saved")


# one layer of each kind against scipy: (n, height, width, channels) of Keras, tensors in PyTorch's order

def outputs(backbone, *names):
    """Return the outputs of layers for one image, in float64."""
    part = keras.Model(backbone.input, [backbone.get_layer(name).output for name in names])
    return [np.asarray(each[0], float) for each in part(PIXELS[:1])]


def correlate(x, kernel, before, stride):
    """Filter (height, width, inputs) by (outputs, inputs, k, k), `before` zeros on the near side, enough beyond."""
    side = kernel.shape[2]
    x = np.pad(x, ((before, side), (before, side), (0, 0)))
    kernels = kernel.transpose(0, 2, 3, 1).astype(float)  # (outputs, k, k, inputs)
    channels = [signal.correlate(x, of_output, "valid")[..., 0] for of_output in kernels]
    return np.stack(channels, axis=2)[::stride, ::stride]


def test_lite0_pads_a_stride_of_two_on_the_far_side(lite0, tensors):
    x, y = outputs(lite0, "normalization", "conv_stem")
    np.testing.assert_allclose(x, (PIXELS[0] - 127) / 128, atol=1e-6)
    expected = correlate(x, tensors["efficientnet_lite0"]["conv_stem.weight"], 0, 2)[:32, :32]
    np.testing.assert_allclose(y, expected, atol=1e-5)


def test_lite0_filters_each_channel_by_its_own_kernel(lite0, tensors):
    x, y = outputs(lite0, "bn1.relu6", "blocks.0.0.conv_dw")
    kernel = tensors["efficientnet_lite0"]["blocks.0.0.conv_dw.weight"]  # (32, 1, 3, 3)
    for channel in range(len(kernel)):
        expected = signal.correlate(np.pad(x[..., channel], 1), kernel[channel, 0], "valid")
        np.testing.assert_allclose(y[..., channel], expected, atol=1e-4)


def test_resnet50_pads_both_sides_alike(resnet50, tensors):
    x, y = outputs(resnet50, "normalization", "conv1")
    expected = correlate(x, tensors["resnet50"]["conv1.weight"], 3, 2)[:32, :32]
    np.testing.assert_allclose(y, expected, atol=1e-4)


def test_resnet50_is_version_1_5(resnet50):
    strides = {part: resnet50.get_layer(f"layer2.0.{part}").strides for part in ("conv1", "conv2", "conv3")}
    assert strides == {"conv1": (1, 1), "conv2": (2, 2), "conv3": (1, 1)}


def test_normalisation_of_resnet50_is_torchvisions(resnet50):
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])  # of channels 0..1
    x, _ = outputs(resnet50, "normalization", "conv1")
    np.testing.assert_allclose(x, (PIXELS[0] / 255 - mean) / deviation, atol=1e-5)


# batch norm

@pytest.mark.parametrize("precision, bound", [("float32", 1e-5), ("float64", 1e-14)])
def test_batch_statistics_are_the_closed_form(precision, bound):
    layer = backbones.BatchStatistics(epsilon=1e-3, momentum=0.9, dtype=precision)
    layer.build((None, 3, 5, 2))
    layer.trainable = False
    mean, variance, weight, bias = np.array([[3, -1], [0.5, 2], [1.5, 0.7], [0.1, -4]])
    layer.set_weights([weight, bias, mean, variance])
    x = np.random.default_rng(0).normal((7, -2), (2, 0.1), (4, 3, 5, 2))
    pixels = keras.ops.convert_to_tensor(x, precision)

    expected = normalise(x, *mean_and_variance(x), weight, bias, 1e-3)
    np.testing.assert_allclose(layer(pixels, training=True), expected, rtol=10 * bound, atol=10 * bound)
    of_batch, unbiased = mean_and_variance(x, ddof=1)
    np.testing.assert_allclose(layer.moving_mean, updated(mean, of_batch), rtol=bound)
    np.testing.assert_allclose(layer.moving_variance, updated(variance, unbiased), rtol=bound)
    expected = normalise(x, layer.moving_mean, layer.moving_variance, weight, bias, 1e-3)
    np.testing.assert_allclose(layer(pixels, training=False), expected, rtol=100 * bound, atol=100 * bound)


@pytest.mark.parametrize("precision, bound", [("float32", 1e-5), ("float64", 1e-12)])
def test_statistics_of_a_convolution_follow_from_its_inputs(precision, bound):
    """Also in inference, and where means are thirty deviations from zero."""
    random, outputs = np.random.default_rng(0), 7
    kernel, x = random.normal(0, 1, (3, outputs)), random.normal((3, 0, -1), (0.1, 1, 2), (4, 5, 6, 3))
    pixels = keras.Input((5, 6, 3), dtype=precision)
    convolution = keras.layers.Conv2D(outputs, 1, use_bias=False, dtype=precision)
    convolution(pixels)
    assert backbones._WideningStatistics.suits(convolution)
    layer = backbones._WideningStatistics(convolution, epsilon=1e-3, momentum=0.9, dtype=precision)
    assert layer(pixels).shape == (None, 5, 6, outputs)
    mean, variance, weight, bias = random.uniform(0.5, 1, (4, outputs))
    layer.set_weights([weight, bias, mean, variance, kernel[None, None]])
    x, kernel = x.astype(precision).astype(float), kernel.astype(precision).astype(float)

    expected = normalise(x @ kernel, *mean_and_variance(x @ kernel), weight, bias, 1e-3)
    np.testing.assert_allclose(layer(x.astype(precision), training=True), expected, rtol=10 * bound, atol=10 * bound)
    of_batch, unbiased = mean_and_variance(x @ kernel, ddof=1)
    np.testing.assert_allclose(layer.moving_mean, updated(mean, of_batch), rtol=bound)
    np.testing.assert_allclose(layer.moving_variance, updated(variance, unbiased), rtol=bound)
    expected = normalise(x @ kernel, layer.moving_mean, layer.moving_variance, weight, bias, 1e-3)
    np.testing.assert_allclose(layer(x.astype(precision), training=False), expected, rtol=100 * bound, atol=100 * bound)


@pytest.mark.parametrize("value", [0.1, 100.3])
def test_a_constant_channel_is_its_bias(value):
    """Its variance, 0, is the difference of two numbers that are rounded."""
    layer = backbones.BatchStatistics(epsilon=1e-5, momentum=0.9)
    x = np.random.default_rng(0).normal(0, 1, (4, 7, 7, 2)).astype(np.float32)
    x[..., 1] = value
    y = np.asarray(layer(x, training=True))
    np.testing.assert_allclose(y[..., 1], 0, atol=0.05)
    assert np.isfinite(layer.moving_variance).all() and float(layer.moving_variance[1]) == pytest.approx(0.9, abs=0.02)


def test_which_convolutions_are_normalised_before_they_run(build):
    """Those that widen a feature map with more pixels than channels: at 64 pixels, the first five that expand."""
    names = [layer.name for layer in build("batch").layers if isinstance(layer, backbones._WideningStatistics)]
    assert names == [f"blocks.{stage}.bn1" for stage in ("1.0", "1.1", "2.0", "2.1", "3.0")]


def test_kerass_own_layer_would_not_do():
    """Frozen it ignores the batch; trainable it updates the variance by the biased estimate."""
    x = np.random.default_rng(0).normal(7, 2, (2, 2, 2, 1)).astype("float32")
    frozen, trainable = (keras.layers.BatchNormalization(momentum=0.9) for _ in range(2))
    for layer in (frozen, trainable):
        layer.build(x.shape)
    frozen.trainable = False
    assert not np.allclose(frozen(x, training=True), trainable(x, training=True))
    assert float(trainable.moving_variance[0]) == pytest.approx(0.9 + 0.1 * x.var(), rel=1e-5)
    assert float(trainable.moving_variance[0]) != pytest.approx(0.9 + 0.1 * x.var(ddof=1), rel=1e-3)


def test_a_frozen_backbone_ignores_training_mode(lite0):
    before = backbones.statistics(lite0)
    inference, training = (adapters_keras.apply(lite0, PIXELS, training) for training in (False, True))
    np.testing.assert_array_equal(training, inference)
    for name, values in backbones.statistics(lite0).items():
        np.testing.assert_array_equal(values, before[name])


# keras.applications' ResNet-50, with random weights in the place of those of ImageNet

@pytest.fixture(scope="module")
def native(tmp_path_factory):
    """The backbone that is built from them, by batch norm."""
    folder = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as monkeypatch:
        path = adapters_keras.cache_of_imagenet(folder, monkeypatch)
        path.parent.mkdir()
        adapters_keras.publish(path.parent, monkeypatch)
        return {batch_norm: backbones.build(MODELS["resnet50"], NATIVE, batch_norm)
                for batch_norm in ("saved", "frozen", "batch", "batch_not_stored")} | {
                    "bfloat16": backbones.build(MODELS["resnet50"], NATIVE, "frozen", "bfloat16")}


@pytest.mark.parametrize("batch_norm", ["saved", "frozen", "batch", "batch_not_stored"])
def test_native_resnet50_takes_rgb_and_computes_what_keras_does_with_bgr(native, batch_norm):
    caffe = keras.applications.resnet.preprocess_input(PIXELS.copy())
    expected = adapters_keras.apply(adapters_keras.applications_resnet50(), caffe)
    assert distance(adapters_keras.apply(native[batch_norm], PIXELS), expected) < 1e-5
    assert distance(adapters_keras.apply(native[batch_norm], PIXELS[..., ::-1]), expected) > 1e-2


@needs_bfloat16
def test_native_resnet50_in_bfloat16_is_near_that_of_full_precision(native):
    full, reduced = (adapters_keras.apply(native[which], PIXELS) for which in ("frozen", "bfloat16"))
    assert reduced.dtype == np.float32 and 1e-4 < distance(reduced, full) < 0.1


def test_frozen_native_resnet50_ignores_training_mode(native):
    before = backbones.statistics(native["frozen"])
    adapters_keras.apply(native["frozen"], PIXELS, training=True)
    after = backbones.statistics(native["frozen"])
    assert len(before) == 106
    assert all(np.array_equal(after[name], before[name]) for name in before)


def test_native_resnet50_uses_the_batch_without_storing_its_statistics(native):
    backbone = native["batch_not_stored"]
    before, plain = backbones.statistics(backbone), adapters_keras.apply(backbone, PIXELS)
    of_batch = adapters_keras.apply(backbone, PIXELS, training=True)
    np.testing.assert_array_equal(of_batch, adapters_keras.apply(native["batch"], PIXELS, training=True))
    assert distance(of_batch, plain) > 1e-2
    for name, values in backbones.statistics(backbone).items():
        np.testing.assert_array_equal(values, before[name])
    backbones.set_statistics(native["batch"], before)


def test_statistics_of_native_resnet50_change_and_are_set_back(native):
    """Without any tensors at hand: `copy_weights` cannot, since the file's names are Keras's."""
    backbone = native["batch"]
    stored, before = backbones.statistics(backbone), adapters_keras.apply(backbone, PIXELS)
    adapters_keras.apply(backbone, PIXELS, training=True)
    after = backbones.statistics(backbone)
    assert len(stored) == 106
    assert not any(np.array_equal(after[name], stored[name]) for name in stored)
    assert distance(adapters_keras.apply(backbone, PIXELS), before) > 1e-2
    backbones.set_statistics(backbone, stored)
    np.testing.assert_array_equal(adapters_keras.apply(backbone, PIXELS), before)
    for name, values in backbones.statistics(backbone).items():
        np.testing.assert_array_equal(values, stored[name])


def test_a_classifier_on_native_resnet50_is_read_back_whole_and_in_parts(native, monkeypatch, tmp_path):
    """Its last layer before the head has another name than that of the networks that are written out here."""
    monkeypatch.setattr(classifier.backbones, "build", lambda *arguments: native["saved"])
    weights = [tuple(tensor.astype("float32") for tensor in layer)
               for layer in draws.initial_weights(0, [2048, 8, 3], "glorot")]
    classifier.save(classifier.assemble(MODELS["resnet50"], NATIVE, {}, [weights], [2048, 8, 3]), tmp_path)
    whole, backbone = classifier.load(tmp_path)
    features = adapters_keras.apply(backbone, PIXELS)
    np.testing.assert_allclose(features, adapters_keras.apply(native["frozen"], PIXELS), rtol=1e-4, atol=1e-4)
    (hidden, bias), (output, shift) = weights
    logits = np.maximum(features @ hidden + bias, 0) @ output + shift
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(adapters_keras.apply(whole, PIXELS), expected, rtol=1e-4, atol=1e-5)
