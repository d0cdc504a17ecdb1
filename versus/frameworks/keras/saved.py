"""The saved classifier in Keras, read for its probabilities alone: nothing is imported that only training needs."""

from pathlib import Path

import versus.frameworks.keras.runtime  # noqa: F401  before keras
import keras
import numpy as np

FEW = 8  # images: for fewer, it does not pay to make a graph, which computes twice as fast with a third of the memory


def load(folder: str | Path) -> keras.Model:
    """Read classifier.keras."""
    classifier = keras.saving.load_model(Path(folder) / "classifier.keras")
    classifier.compile(jit_compile=False)  # XLA on the CPU is ten times slower
    return classifier


def probabilities(classifier: keras.Model, pixels: np.ndarray) -> np.ndarray:
    """Compute probabilities (n, classes) of pixels (n, size, size, 3), RGB, 0..255."""
    pixels = pixels.astype(keras.config.floatx())
    if len(pixels) < FEW:
        return keras.ops.convert_to_numpy(classifier(pixels))
    return classifier.predict_on_batch(pixels)
