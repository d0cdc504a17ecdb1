"""The head in PyTorch: its optimizers against a closed form and each other, and trainings that start anew."""

import numpy as np
import pytest
import torch
from scipy import stats

from versus.recipe import draws
from versus.frameworks.torch import head as head_torch


@pytest.fixture(params=["float32", "float64"])
def precision(request):
    torch.set_default_dtype(getattr(torch, request.param))
    yield request.param
    torch.set_default_dtype(torch.float32)


def gradients(steps=200):
    return np.random.default_rng(0).normal(size=(steps, 7)) * np.logspace(-6, 0, 7)


def uncorrected(start, gradients, rate=1e-3, epsilon=1e-7):
    """Adam as keras/src/optimizers/adam.py writes it, powers of the betas as Keras casts them."""
    w, m, v = start.astype(float), 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        m, v = m + (g - m) * (1 - 0.9), v + (g * g - v) * (1 - 0.999)
        alpha = rate * np.sqrt(1 - float(np.float32(0.999)) ** t) / (1 - float(np.float32(0.9)) ** t)
        w = w - m * alpha / (np.sqrt(v) + epsilon)
    return w


def run(adam, start):
    parameter = torch.nn.Parameter(torch.from_numpy(start))
    optimizer = head_torch.ADAMS[adam]([parameter], 1e-3)
    for gradient in gradients():
        parameter.grad = torch.from_numpy(gradient.astype(start.dtype))
        optimizer.step()
    return parameter.detach().numpy()


def test_uncorrected_adam_is_keras_formula(precision):
    start = np.linspace(-1, 1, 7)
    expected = uncorrected(start, gradients())
    np.testing.assert_allclose(run("uncorrected", start.astype(precision)), expected, rtol=0,
                               atol={"float32": 1e-6, "float64": 1e-14}[precision])
    assert np.abs(run("corrected", start.astype(precision)) - expected).max() > 1e-4  # the two do differ


def corrected(start, gradients, rate=1e-3, epsilon=1e-8):
    """Adam as torch.optim.Adam documents it, in float64: the same lines in test_head_keras.py."""
    w, m, v = start.astype(float), 0.0, 0.0
    for t, g in enumerate(gradients, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w = w - rate * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + epsilon)
    return w


def test_pytorchs_own_adam_is_the_formula_that_keras_repeats(precision):
    start = np.linspace(-1, 1, 7)
    parameter = torch.nn.Parameter(torch.from_numpy(start.astype(precision)))
    optimizer = torch.optim.Adam([parameter], 1e-3)
    for gradient in gradients():
        parameter.grad = torch.from_numpy(gradient.astype(precision))
        optimizer.step()
    expected = corrected(start, gradients())
    np.testing.assert_allclose(parameter.detach(), expected, rtol=0,
                               atol={"float32": 1e-6, "float64": 1e-14}[precision])
    assert np.abs(uncorrected(start, gradients()) - expected).max() > 1e-4  # Keras's would be seen


def test_first_weights_have_the_bounds_and_shape_of_linear():
    torch.manual_seed(0)
    theirs = torch.nn.Linear(1280, 128)
    (kernel, bias), _ = draws.first_weights(0, [1280, 128, 2], "fan_in")
    for mine, other in ((kernel, theirs.weight), (bias, theirs.bias)):
        other = other.detach().numpy().ravel()
        assert np.abs(mine).max() == pytest.approx(np.abs(other).max(), rel=0.05)
        for each in (mine, other):
            assert stats.kstest(each.ravel() * np.sqrt(1280), stats.uniform(-1, 2).cdf).pvalue > 0.001


@pytest.mark.parametrize("adam", ["corrected", "uncorrected"])
def test_a_training_starts_anew(adam):
    noise = np.random.default_rng(0)
    features, labels = noise.normal(size=(32, 6)).astype("float32"), noise.integers(2, size=32)
    trainer = head_torch.Trainer([6, 4, 2], 1e-2, adam)
    runs = []
    for _ in range(2):
        trainer.reset(draws.first_weights(3, [6, 4, 2], "fan_in"))
        runs.append([trainer.step(features, labels) for _ in range(20)])
    assert runs[0] == runs[1]
    assert runs[0][-1] < runs[0][0]
