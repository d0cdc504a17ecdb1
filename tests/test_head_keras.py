"""The head in Keras: its optimizers against a closed form, its loss, and trainings that start anew."""

import numpy as np
import pytest
from scipy import stats
import versus.frameworks.keras.runtime  # noqa: F401  before keras
import keras

from versus.recipe import draws
from versus.frameworks.keras import head as head_keras


@pytest.fixture(params=["float32", "float64"])
def precision(request):
    keras.config.set_floatx(request.param)
    yield request.param
    keras.config.set_floatx("float32")


def gradients(steps=200):
    return np.random.default_rng(0).normal(size=(steps, 7)) * np.logspace(-6, 0, 7)


def corrected(start, gradients, rate=1e-3, epsilon=1e-8):
    """Adam as torch.optim.Adam documents it, in float64."""
    w, m, v = start.astype(float), 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w = w - rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + epsilon)
    return w


def run(optimizer, start):
    variable = keras.Variable(start)
    optimizer.build([variable])
    for gradient in gradients():
        optimizer.apply([keras.ops.convert_to_tensor(gradient, variable.dtype)], [variable])
    return keras.ops.convert_to_numpy(variable)


def test_corrected_adam_is_the_published_formula(precision):
    start = np.linspace(-1, 1, 7)
    found = run(head_keras.ADAMS["corrected"](1e-3), start.astype(precision))
    expected = corrected(start, gradients())
    np.testing.assert_allclose(found, expected, rtol=0, atol={"float32": 1e-6, "float64": 1e-14}[precision])
    kerass = run(head_keras.ADAMS["uncorrected"](1e-3), start.astype(precision))
    assert np.abs(kerass - expected).max() > 1e-4  # the two do differ


def uncorrected(start, gradients, rate=1e-3, epsilon=1e-7):
    """Adam as keras/src/optimizers/adam.py writes it, in float64: the same lines in test_head_torch.py.

    For their powers Keras casts the betas to float32, whatever the precision.
    """
    w, m, v = start.astype(float), 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        m, v = m + (g - m) * (1 - 0.9), v + (g * g - v) * (1 - 0.999)
        alpha = rate * np.sqrt(1 - float(np.float32(0.999)) ** t) / (1 - float(np.float32(0.9)) ** t)
        w = w - m * alpha / (np.sqrt(v) + epsilon)
    return w


def test_kerass_own_adam_is_the_formula_that_pytorch_repeats(precision):
    start = np.linspace(-1, 1, 7)
    found = run(keras.optimizers.Adam(1e-3), start.astype(precision))
    expected = uncorrected(start, gradients())
    np.testing.assert_allclose(found, expected, rtol=0, atol={"float32": 1e-6, "float64": 1e-14}[precision])
    assert np.abs(corrected(start, gradients()) - expected).max() > 1e-4  # PyTorch's would be seen


def test_first_weights_have_the_bounds_and_shape_of_glorot_uniform():
    (kernel, bias), _ = draws.first_weights(0, [1280, 128, 2], "glorot")
    theirs = keras.ops.convert_to_numpy(keras.initializers.GlorotUniform(seed=0)((1280, 128)))
    assert not bias.any()
    assert np.abs(kernel).max() == pytest.approx(np.abs(theirs).max(), rel=1e-4)
    for each in (kernel, theirs):
        assert stats.kstest(each.ravel() / np.sqrt(6 / 1408), stats.uniform(-1, 2).cdf).pvalue > 0.001


def test_loss_of_probabilities_equals_that_of_logits_to_the_bit():
    logits = np.random.default_rng(0).normal(size=(64, 5)).astype("float32") * 9
    labels = np.arange(64) % 5
    probabilities = keras.layers.Activation("softmax")(logits)
    of_probabilities = keras.losses.SparseCategoricalCrossentropy()(labels, probabilities)
    assert of_probabilities == keras.losses.SparseCategoricalCrossentropy(from_logits=True)(labels, logits)


@pytest.mark.parametrize("adam", ["corrected", "uncorrected"])
def test_a_training_starts_anew(adam):
    noise = np.random.default_rng(0)
    features, labels = noise.normal(size=(32, 6)).astype("float32"), noise.integers(2, size=32)
    trainer = head_keras.Trainer([6, 4, 2], 1e-2, adam)
    runs = []
    for _ in range(2):
        trainer.reset(draws.first_weights(3, [6, 4, 2], "glorot"))
        runs.append([trainer.step(features, labels) for _ in range(20)])
    assert runs[0] == runs[1]
    assert runs[0][-1] < runs[0][0]
