"""The saved classifier in Keras as ONNX, converted by tf2onnx."""

from pathlib import Path

import versus.frameworks.keras.runtime  # noqa: F401  before keras
import keras
import numpy as np
from keras import layers


def to_onnx(folder: str | Path, path: str | Path, opset: int) -> None:
    """Write the classifier of `folder` as ONNX: pixels (n, size, size, 3), RGB, 0..255, to probabilities."""
    classifier = _with_rescaling(keras.saving.load_model(Path(folder) / "classifier.keras"))
    pixels = keras.InputSpec(shape=classifier.input_shape, dtype="float32", name="pixels")
    classifier.export(path, format="onnx", verbose=False, input_signature=[pixels], opset_version=opset)


def _with_rescaling(classifier: keras.Model) -> keras.Model:
    """Copy the classifier with Rescaling for Normalization, of whose constants tf2onnx would make inputs."""
    def convert(layer):
        if isinstance(layer, layers.Normalization):
            mean, deviation = np.ravel(layer.mean), np.sqrt(np.ravel(layer.variance))
            return layers.Rescaling((1 / deviation).tolist(), (-mean / deviation).tolist(), name=layer.name)
        return type(layer).from_config(layer.get_config())

    copy = keras.models.clone_model(classifier, clone_function=convert)
    copy.set_weights(classifier.get_weights())
    return copy
