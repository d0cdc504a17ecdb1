"""The backbones in Keras: names and shapes of the PyTorch twin, layers against closed forms, Keras's own ResNet-50."""

import hashlib
import re
from urllib.error import URLError

import h5py
import numpy as np
import pytest
import versus.frameworks.keras.runtime  # noqa: F401  before keras
import keras
from keras.src.applications import resnet
from keras.src.legacy.saving import legacy_h5_format
from keras.src.utils import file_utils
from scipy import signal

from versus.frameworks.keras import backbone as backbone_keras
from versus import params
from versus.recipe import weights
from versus.recipe.weights import WeightsError

MODEL = params.load().model.model_copy(update={"image_size": 64, "weights": "random"})
RESNET50 = MODEL.model_copy(update={"backbone": "resnet50"})
# number of tensors, hash of names and shapes: the same lines in test_backbone_torch.py
TENSORS = {"efficientnet_lite0": (245, "9f74acb30492e917"), "resnet50": (265, "f2cb7e91e337274f")}
NATIVE = RESNET50.model_copy(update={"weights": "native"})
FILE = "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"
PIXELS = np.random.default_rng(0).uniform(0, 255, (4, 64, 64, 3)).astype(np.float32)


def empty(model):
    """The network without its tensors, to tell their names and shapes."""
    def normalise(x, name, activation=None):
        x = keras.layers.BatchNormalization(name=name)(x)
        return keras.layers.Activation(activation)(x) if activation else x

    pixels = keras.Input((model.image_size, model.image_size, 3))
    return keras.Model(pixels, backbone_keras.NETWORKS[model.backbone](pixels, normalise))


@pytest.fixture(scope="module")
def tensors():
    return {model.backbone: weights.draw(backbone_keras.shapes(empty(model))) for model in (MODEL, RESNET50)}


@pytest.fixture(scope="module")
def lite0(tensors):
    return backbone_keras.build(MODEL, tensors["efficientnet_lite0"], "frozen")


@pytest.fixture(scope="module")
def resnet50(tensors):
    return backbone_keras.build(RESNET50, tensors["resnet50"], "frozen")


@pytest.mark.parametrize("name", TENSORS)
def test_both_frameworks_have_the_same_names_and_shapes(tensors, name):
    text = repr(sorted((name, tuple(map(int, tensor.shape))) for name, tensor in tensors[name].items()))
    assert (len(tensors[name]), hashlib.sha256(text.encode()).hexdigest()[:16]) == TENSORS[name]


def test_unknown_missing_and_misshapen_tensors_are_named(lite0, tensors):
    tensors = tensors["efficientnet_lite0"]
    few = {name: tensor for name, tensor in tensors.items() if name != "bn1.bias"}
    turned = tensors["conv_stem.weight"].transpose(1, 0, 2, 3)
    before = lite0.get_weights()
    for wrong, message in ((few | {"bn1.bais": tensors["bn1.bias"]}, "missing: .'bn1.bias'., unknown: .'bn1.bais'."),
                           (tensors | {"conv_stem.weight": turned}, r"conv_stem.weight of shape \(3, 32, 3, 3\)"),
                           ({}, "got 0 tensors, expected 245")):
        with pytest.raises(WeightsError, match=message):
            backbone_keras.load(lite0, wrong)
    for kept, found in zip(before, lite0.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, found)  # nothing is copied before all is seen to fit


# one layer of each kind against scipy: (n, height, width, channels) of Keras, tensors in PyTorch's order

def outputs(backbone, *names):
    part = keras.Model(backbone.input, [backbone.get_layer(name).output for name in names])
    return [each[0].astype(float) for each in part.predict(PIXELS[:1], verbose=0)]


def correlate(x, kernel, before, stride):
    """Filter (height, width, inputs) by (outputs, inputs, k, k), `before` zeros on the near side, enough beyond."""
    side = kernel.shape[2]
    x = np.pad(x, ((before, side), (before, side), (0, 0)))
    found = [signal.correlate(x, of_output.transpose(1, 2, 0), "valid")[..., 0] for of_output in kernel.astype(float)]
    return np.stack(found, axis=2)[::stride, ::stride]


def test_lite0_pads_a_stride_of_two_on_the_far_side(lite0, tensors):
    x, found = outputs(lite0, "normalization", "conv_stem")
    np.testing.assert_allclose(x, (PIXELS[0] - 127) / 128, atol=1e-6)
    expected = correlate(x, tensors["efficientnet_lite0"]["conv_stem.weight"], 0, 2)[:32, :32]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_lite0_filters_each_channel_by_its_own_kernel(lite0, tensors):
    below, found = outputs(lite0, "bn1.relu6", "blocks.0.0.conv_dw")
    kernel = tensors["efficientnet_lite0"]["blocks.0.0.conv_dw.weight"]  # (32, 1, 3, 3)
    for channel in range(len(kernel)):
        expected = signal.correlate(np.pad(below[..., channel], 1), kernel[channel, 0], "valid")
        np.testing.assert_allclose(found[..., channel], expected, atol=1e-4)


def test_resnet50_pads_both_sides_alike(resnet50, tensors):
    x, found = outputs(resnet50, "normalization", "conv1")
    expected = correlate(x, tensors["resnet50"]["conv1.weight"], 3, 2)[:32, :32]
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_resnet50_is_version_1_5(resnet50):
    strides = {part: resnet50.get_layer(f"layer2.0.{part}").strides for part in ("conv1", "conv2", "conv3")}
    assert strides == {"conv1": (1, 1), "conv2": (2, 2), "conv3": (1, 1)}


def test_normalisation_of_resnet50_is_torchvisions(resnet50):
    mean, deviation = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])  # of channels 0..1
    found, _ = outputs(resnet50, "normalization", "conv1")
    np.testing.assert_allclose(found, (PIXELS[0] / 255 - mean) / deviation, atol=1e-5)


# batch norm

@pytest.mark.parametrize("precision, bound", [("float32", 1e-5), ("float64", 1e-14)])
def test_batch_statistics_are_the_closed_form(precision, bound):
    layer = backbone_keras.BatchStatistics(epsilon=1e-3, momentum=0.9, dtype=precision)
    layer.build((None, 3, 5, 2))
    layer.trainable = False
    mean, variance, weight, bias = np.array([[3, -1], [0.5, 2], [1.5, 0.7], [0.1, -4]])
    layer.set_weights([weight, bias, mean, variance])
    x = np.random.default_rng(0).normal((7, -2), (2, 0.1), (4, 3, 5, 2))
    found = layer(keras.ops.convert_to_tensor(x, precision), training=True)
    of_batch = x.mean((0, 1, 2)), x.var((0, 1, 2))
    expected = (x - of_batch[0]) / np.sqrt(of_batch[1] + 1e-3) * weight + bias
    np.testing.assert_allclose(found, expected, rtol=10 * bound, atol=10 * bound)
    np.testing.assert_allclose(layer.moving_mean, 0.9 * mean + 0.1 * of_batch[0], rtol=bound)
    np.testing.assert_allclose(layer.moving_variance, 0.9 * variance + 0.1 * x.var((0, 1, 2), ddof=1), rtol=bound)
    stored = (x - layer.moving_mean) / np.sqrt(layer.moving_variance + 1e-3) * weight + bias
    inference = layer(keras.ops.convert_to_tensor(x, precision), training=False)
    np.testing.assert_allclose(inference, stored, rtol=100 * bound, atol=100 * bound)


def test_kerass_own_layer_would_not_do():
    """Frozen it ignores the batch; trainable it moves the variance by the biased estimate."""
    x = np.random.default_rng(0).normal(7, 2, (2, 2, 2, 1)).astype("float32")
    frozen, trainable = (keras.layers.BatchNormalization(momentum=0.9) for _ in range(2))
    for layer in (frozen, trainable):
        layer.build(x.shape)
    frozen.trainable = False
    assert not np.allclose(frozen(x, training=True), trainable(x, training=True))
    assert float(trainable.moving_variance[0]) == pytest.approx(0.9 + 0.1 * x.var(), rel=1e-5)
    assert float(trainable.moving_variance[0]) != pytest.approx(0.9 + 0.1 * x.var(ddof=1), rel=1e-3)


def test_a_frozen_backbone_never_moves(lite0):
    before = backbone_keras.statistics(lite0)
    np.testing.assert_array_equal(lite0(PIXELS, training=True), lite0(PIXELS, training=False))
    for name, values in backbone_keras.statistics(lite0).items():
        np.testing.assert_array_equal(values, before[name])


def test_moved_statistics_are_put_back(lite0, tensors):
    tensors = tensors["efficientnet_lite0"]
    moving = backbone_keras.build(MODEL, tensors, "batch")
    before, stored = lite0.predict(PIXELS, verbose=0), backbone_keras.statistics(lite0)
    moving(PIXELS, training=True)
    after = backbone_keras.statistics(moving)
    assert after.keys() == stored.keys() == {name for name in tensors if name.endswith(("running_mean", "running_var"))}
    assert all(not np.array_equal(after[name], stored[name]) for name in after)
    try:
        backbone_keras.move(lite0, after)
        moved = lite0.predict(PIXELS, verbose=0)
    finally:
        backbone_keras.move(lite0, stored)
    np.testing.assert_array_equal(moved, moving.predict(PIXELS, verbose=0))
    assert not np.allclose(moved, before)
    np.testing.assert_array_equal(lite0.predict(PIXELS, verbose=0), before)


def test_another_epsilon_would_be_seen(lite0, tensors, monkeypatch):
    right = weights.ARCHITECTURES["efficientnet_lite0"]
    monkeypatch.setitem(weights.ARCHITECTURES, "efficientnet_lite0", right._replace(epsilon=1e-5))
    wrong = backbone_keras.build(MODEL, tensors["efficientnet_lite0"], "frozen").predict(PIXELS, verbose=0)
    expected = lite0.predict(PIXELS, verbose=0)
    assert distance(wrong, expected) > 1e-3  # a hundred times the bound of parity


# Keras's own ResNet-50: its weights cannot be had here, so a file of random ones stands in their place in the cache

@pytest.fixture(scope="module")
def original():
    """keras.applications' network with all its tensors drawn."""
    network = keras.applications.ResNet50(include_top=False, weights=None, input_shape=(64, 64, 3), pooling="avg")
    noise = np.random.default_rng(0)
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([noise.uniform(0.3, 0.9, variable.shape) for variable in layer.variables])
    return network


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The path where Keras looks for its ImageNet weights."""
    monkeypatch.setattr(file_utils.config, "keras_home", lambda: str(tmp_path))
    (tmp_path / "models").mkdir()
    return tmp_path / "models" / FILE


@pytest.fixture
def cached(original, cache, monkeypatch):
    """Put a file of drawn weights there, under a checksum that is its own."""
    save(original, cache)
    monkeypatch.setitem(resnet.WEIGHTS_HASHES, "resnet50", (None, file_utils.hash_file(cache, "md5")))
    return cache


def save(network, path):
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, network)


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*arguments, **keywords):
        raise URLError("no network")

    monkeypatch.setattr("urllib.request.OpenerDirector.open", refuse)


def test_native_resnet50_takes_rgb_and_computes_what_keras_does_with_bgr(cached, original, no_network):
    caffe = keras.applications.resnet.preprocess_input(PIXELS.copy())
    expected = original.predict(caffe, verbose=0)
    for batch_norm in ("frozen", "batch"):
        backbone = backbone_keras.build(NATIVE, {}, batch_norm)
        assert distance(backbone.predict(PIXELS, verbose=0), expected) < 1e-5
        assert distance(backbone.predict(PIXELS[..., ::-1], verbose=0), expected) > 1e-2
        before = backbone_keras.statistics(backbone)
        backbone(PIXELS, training=True)
        moved = [name for name, values in backbone_keras.statistics(backbone).items()
                 if not np.array_equal(values, before[name])]
        assert len(before) == 106
        assert moved == ([] if batch_norm == "frozen" else list(before))


def test_moved_statistics_of_native_resnet50_are_put_back(cached, no_network):
    """Without any tensors at hand: `load` cannot, since the file's names are Keras's."""
    backbone = backbone_keras.build(NATIVE, {}, "batch")
    kept, before = backbone_keras.statistics(backbone), backbone.predict(PIXELS, verbose=0)
    backbone(PIXELS, training=True)
    assert distance(backbone.predict(PIXELS, verbose=0), before) > 1e-2
    backbone_keras.move(backbone, kept)
    np.testing.assert_array_equal(backbone.predict(PIXELS, verbose=0), before)
    for name, values in backbone_keras.statistics(backbone).items():
        np.testing.assert_array_equal(values, kept[name])


def test_imagenet_weights_are_downloaded_once(cached, tmp_path, monkeypatch):
    (tmp_path / "site").mkdir()
    served = cached.rename(tmp_path / "site" / FILE)
    monkeypatch.setattr(backbone_keras, "BASE_WEIGHTS_PATH", f"{served.parent.as_uri()}/")
    one = backbone_keras.build(NATIVE, {}, "frozen")
    served.unlink()
    other = backbone_keras.build(NATIVE, {}, "frozen")
    for drawn, found in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(drawn, found)


def test_missing_imagenet_weights_name_the_file(cache, no_network):
    message = f"no network.*{FILE} elsewhere and put it at {cache}, or use model.weights: shared"
    with pytest.raises(WeightsError, match=message):
        backbone_keras.build(NATIVE, {}, "frozen")


def test_wrong_imagenet_weights_are_named_and_kept(cache, original, no_network):
    save(original, cache)
    published = resnet.WEIGHTS_HASHES["resnet50"][1]
    for content in (cache.read_bytes(), b"<html>not found</html>", b""):
        cache.write_bytes(content)
        got = hashlib.md5(content).hexdigest()
        message = f"{cache}: got md5 {got[:16]}…, expected {published[:16]}…; download "
        with pytest.raises(WeightsError, match=re.escape(message)):
            backbone_keras.build(NATIVE, {}, "frozen")
        assert cache.read_bytes() == content


def distance(found, expected):
    """Relative L2 distance of the worst image's features."""
    return np.max(np.linalg.norm(found - expected, axis=1) / np.linalg.norm(expected, axis=1))
