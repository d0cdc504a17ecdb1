"""The head: its optimizers against closed forms, its initial weights against the framework's own, and its loss."""

import numpy as np
import pytest
from scipy import stats

from tests.helpers.adam import FORMULAS, gradients
from versus.recipe import draws
from versus.recipe.conventions import TABLE

START = np.linspace(-1, 1, 7)
BOUNDS = {"float32": 1e-6, "float64": 1e-14}
WIDTHS = [6, 4, 2]


@pytest.fixture
def default(own):
    """The framework's default in a convention: `default(name)`."""
    return lambda name: TABLE[name][own.framework]["today"].value


def check_adam(end, formula, precision):
    """Compare parameters with one formula's; they must differ from the other's."""
    for name, steps in FORMULAS.items():
        difference = np.abs(end - steps(START, gradients())).max()
        assert difference <= BOUNDS[precision] if name == formula else difference > 1e-4, name


@pytest.mark.parametrize("formula", FORMULAS)
def test_each_adam_is_its_formula(own, adapter, precision, formula):
    end = adapter.run_adam(own.head.ADAMS[formula], START.astype(precision), gradients())
    check_adam(end, formula, precision)


def test_the_frameworks_own_adam_is_the_formula_of_its_default(adapter, default, precision):
    end = adapter.run_adam(adapter.OWN_ADAM, START.astype(precision), gradients())
    check_adam(end, default("adam"), precision)


def test_initial_weights_are_distributed_as_those_of_the_frameworks_own_layer(adapter, default):
    convention = default("head_init")
    bound = {"glorot": np.sqrt(6 / 1408), "fan_in": np.sqrt(1 / 1280)}[convention]
    drawn, *_ = draws.initial_weights(0, [1280, 128, 2], convention)
    for ours, theirs, precision in zip(drawn, adapter.own_layer(1280, 128), (1e-4, 0.05)):  # kernel, bias
        assert ours.shape == theirs.shape
        assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=precision)
        for each in (ours, theirs):
            uniform = stats.kstest(each.ravel() / bound, stats.uniform(-1, 2).cdf).pvalue > 0.001
            assert uniform or not theirs.any()  # Keras's biases are zero


@pytest.fixture(params=FORMULAS)
def trainer(own, request):
    """A trainer with each Adam in turn."""
    return own.head.Trainer(WIDTHS, 1e-2, request.param)


@pytest.fixture
def batch():
    """Features and labels of 32 images."""
    noise = np.random.default_rng(0)
    return noise.normal(size=(32, 6)).astype("float32"), noise.integers(2, size=32)


@pytest.mark.parametrize("convention", ["glorot", "fan_in"])
def test_a_training_run_starts_anew(trainer, batch, convention):
    runs = []
    for _ in range(2):
        trainer.reset(draws.initial_weights(3, WIDTHS, convention))
        runs.append([trainer.step(*batch) for _ in range(20)])
    assert runs[0] == runs[1]
    assert runs[0][-1] < runs[0][0]


def test_the_loss_is_the_mean_cross_entropy_before_the_step(trainer, batch):
    features, labels = batch
    initial = draws.initial_weights(3, WIDTHS, "fan_in")
    (kernel_1, bias_1), (kernel_2, bias_2) = initial
    logits = np.maximum(features @ kernel_1 + bias_1, 0) @ kernel_2 + bias_2
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    trainer.reset(initial)
    np.testing.assert_allclose(trainer.probabilities(features), expected, rtol=1e-5)
    assert trainer.step(features, labels) == pytest.approx(-np.log(expected[range(32), labels]).mean(), rel=1e-5)


def test_weights_are_copies_laid_out_as_they_were_set(trainer, batch):
    initial = draws.initial_weights(3, WIDTHS, "fan_in")
    trainer.reset(initial)
    weights = trainer.weights()
    trainer.step(*batch)
    for layer, expected in zip(weights, initial, strict=True):
        for tensor, drawn in zip(layer, expected, strict=True):
            np.testing.assert_array_equal(tensor, drawn.astype("float32"))
    assert not np.array_equal(trainer.weights()[0][0], weights[0][0])
