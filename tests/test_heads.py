"""Heads on the same features, 660 steps: the same numbers at float64; at float32 the spread over 20 seeds."""

import pickle

import numpy as np
import pytest

from tests.helpers.processes import run, start
from versus.evaluation import parity

BOUNDS = {"losses": 1e-13, "weights": 1e-13, "probabilities": 1e-13}  # measured: 2e-15 to 2e-14, by processor
DIVERGED = 1e-3  # relative difference of a loss; reached only where a hidden unit's ReLU has tipped


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Lite0's features of the sample's photographs: 2 views of 694 images, and 200 validation images."""
    folder = tmp_path_factory.mktemp("features")
    run("compute_features", folder)
    return folder


def train(folder, precision, conventions, seeds):
    """Train in Keras, in PyTorch and in PyTorch with each batch in reverse, side by side: three lists of `Trained`."""
    kinds = {"keras": ["keras"], "torch": ["torch"], "control": ["torch", "--reverse"]}
    running = [start("compute_heads", competitor, precision, conventions, folder, seeds, folder / kind, *more)
               for kind, (competitor, *more) in kinds.items()]
    assert [process.wait() for process in running] == [0, 0, 0]
    return [pickle.loads((folder / kind).read_bytes()) for kind in kinds]


@pytest.mark.parametrize("conventions", ["keras", "torch"])
def test_heads_are_equal_at_float64(folder, conventions):
    keras, torch, _ = train(folder, "float64", conventions, seeds=2)
    assert len(torch[0].losses) == 660 and torch[0].losses[-20:].mean() < torch[0].losses[:20].mean() / 2
    assert torch[0].probabilities.shape == (200, 2)
    measured = parity.measure_heads(keras, torch)
    print(conventions, measured)
    assert measured["classes"] == 0
    for name, bound in BOUNDS.items():
        assert measured[name] <= bound, name


@pytest.mark.parametrize("conventions", ["keras", "torch"])
def test_heads_at_float32_diverge_as_rarely_as_pytorch_from_itself(folder, conventions):
    """Beyond rounding a seed diverges where a ReLU tips, in PyTorch against itself as often: no bound holds for all."""
    keras, torch, control = train(folder, "float32", conventions, seeds=20)
    for name, pair in (("frameworks", (keras, torch)), ("control", (control, torch))):
        print(conventions, name, parity.measure_heads(*pair))
        losses = np.array([parity.loss_differences(a.losses, b.losses) for a, b in zip(*pair)])  # (seeds, steps)
        assert (losses[:, :100].max(axis=1) <= 1e-5).sum() >= 18  # measured: 19 or 20 of 20
        assert np.median(losses.max(axis=1)) <= 1e-5  # over all steps; measured: 9e-7
        diverged = (losses.max(axis=1) > DIVERGED).sum()
        print(diverged, "of 20 diverged")
        assert diverged <= 10  # measured: 6 and 1 (frameworks), 1 and 3 (control)
