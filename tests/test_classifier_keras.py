"""The saved classifier: the same bytes each time, and Keras alone to read it."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
import versus.frameworks.keras.runtime  # noqa: F401  before keras
import keras
from test_backbone_keras import empty

from versus.frameworks.keras import backbone as backbone_keras
from versus.frameworks.keras import classifier as classifier_keras
from versus.recipe import draws
from versus import params
from versus.recipe import weights

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
    return weights.draw(backbone_keras.shapes(empty(MODEL)))


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
