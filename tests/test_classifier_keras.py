"""The saved classifier: the same bytes each time, and Keras alone to read it."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
import versus.runtime_keras  # noqa: F401  before keras
import keras

from versus import backbone_keras, classifier_keras, draws, params, weights
from versus.weights import WeightsError

MODEL = params.load().model.model_copy(update={"image_size": 64, "weights": "random", "hidden": 8})
WIDTHS = [1280, 8, 3]
ALONE = """
import sys
import numpy as np
import keras
pixels = np.load("pixels.npy")
whole = keras.saving.load_model("classifier.keras")
parts = keras.models.model_from_json(open("architecture.json").read())
parts.load_weights("model.weights.h5")
np.savez("found.npz", whole=whole(pixels), parts=parts(pixels))
assert "versus" not in sys.modules
"""


@pytest.fixture(scope="module")
def tensors():
    shapes = backbone_keras.shapes(keras.Model(*network(backbone_keras.layers.BatchNormalization)))
    return weights.draw(shapes)


def network(layer):
    def normalise(x, name, activation=None):
        x = layer(name=name)(x)
        return keras.layers.Activation(activation, name=f"{name}.{activation}")(x) if activation else x

    pixels = keras.Input((64, 64, 3))
    return pixels, backbone_keras.efficientnet_lite0(pixels, normalise)


def assemble(tensors):
    statistics = {"bn1.running_mean": np.linspace(0, 1, 32, dtype="float32")}
    return classifier_keras.assemble(MODEL, tensors, statistics, draws.first_weights(0, WIDTHS, "fan_in"), WIDTHS)


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_same_bytes_and_keras_alone(tensors, tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        classifier_keras.save(assemble(tensors), folder)
    assert digests(one) == digests(other)
    assert set(digests(one)) == {"classifier.keras", "architecture.json", "model.weights.h5"}

    pixels = np.random.default_rng(0).uniform(0, 255, (2, 64, 64, 3)).astype("float32")
    np.save(one / "pixels.npy", pixels)
    subprocess.run([sys.executable, "-c", ALONE], cwd=one, check=True)
    found, expected = np.load(one / "found.npz"), keras.ops.convert_to_numpy(assemble(tensors)(pixels))
    for name in ("whole", "parts"):
        np.testing.assert_allclose(found[name], expected, atol=1e-6)

    classifier, backbone = classifier_keras.load(one)
    head = classifier.layers[-1]
    np.testing.assert_allclose(head(backbone(pixels)), expected, atol=1e-6)
    assert not np.allclose(backbone.get_layer("bn1").moving_mean, tensors["bn1.running_mean"])  # the moved ones travel


def test_a_frozen_backbone_never_moves(tensors):
    backbone = backbone_keras.build(MODEL, tensors, "frozen")
    before = backbone_keras.statistics(backbone)
    pixels = np.full((2, 64, 64, 3), 100.0, "float32")
    np.testing.assert_array_equal(backbone(pixels, training=True), backbone(pixels, training=False))
    for name, values in backbone_keras.statistics(backbone).items():
        np.testing.assert_array_equal(values, before[name])


def test_batch_statistics_against_the_closed_form():
    layer = backbone_keras.BatchStatistics(epsilon=1e-3, momentum=0.9)
    layer.build((None, 3, 3, 2))
    layer.trainable = False
    x = np.random.default_rng(0).normal(3, 2, (4, 3, 3, 2)).astype("float32")
    found = layer(x, training=True)
    mean, variance = x.mean((0, 1, 2)), x.var((0, 1, 2))
    np.testing.assert_allclose(found, (x - mean) / np.sqrt(variance + 1e-3), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(layer.moving_mean, 0.1 * mean, rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance, 0.9 + 0.1 * x.var((0, 1, 2), ddof=1), rtol=1e-5)


def test_wrong_weights_are_refused(tensors):
    with pytest.raises(WeightsError, match="missing: .'bn1.bias'"):
        backbone_keras.build(MODEL, {name: tensor for name, tensor in tensors.items() if name != "bn1.bias"}, "frozen")
    with pytest.raises(WeightsError, match=r"got bn1.bias of shape \(5,\), expected \(32,\)"):
        backbone_keras.build(MODEL, tensors | {"bn1.bias": np.zeros(5, "float32")}, "frozen")


def test_missing_or_wrong_imagenet_weights_name_the_file(tmp_path, monkeypatch):
    resnet = MODEL.model_copy(update={"backbone": "resnet50", "weights": "native"})
    monkeypatch.setattr(keras.src.utils.file_utils.config, "keras_home", lambda: str(tmp_path))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    for content in (None, b"not the weights"):
        if content:
            (tmp_path / "models").mkdir(exist_ok=True)
            (tmp_path / "models" / "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5").write_bytes(content)
        message = "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5 elsewhere and put it"
        with pytest.raises(WeightsError, match=message):
            backbone_keras.build(resnet, {}, "frozen")
