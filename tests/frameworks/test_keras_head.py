"""The head in Keras: its loss of probabilities loses nothing."""

import numpy as np
import versus.frameworks.keras.runtime  # noqa: F401  before keras
import keras


def test_the_loss_of_probabilities_equals_that_of_logits_to_the_bit():
    logits = np.random.default_rng(0).normal(size=(64, 5)).astype("float32") * 9
    labels = np.arange(64) % 5
    probabilities = keras.layers.Activation("softmax")(logits)
    of_probabilities = keras.losses.SparseCategoricalCrossentropy()(labels, probabilities)
    assert of_probabilities == keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)
