"""Heads on the same features, 660 steps: the same numbers at float64; at float32 the spread over 20 seeds."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from versus.evaluation import parity

TESTS = Path(__file__).parent
BOUNDS = {"losses": 2e-14, "weights": 4e-14, "probabilities": 1e-14}  # ten times what was measured
PARTED = 1e-3  # relative difference of a loss; reached only where a hidden unit's ReLU has tipped


def start(script, *arguments):
    environment = os.environ | {"PYTHONPATH": str(TESTS.parent), "OMP_WAIT_POLICY": "PASSIVE"}
    return subprocess.Popen([sys.executable, TESTS / script, *map(str, arguments)], cwd=TESTS.parent, env=environment)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Lite0's features of the sample's photographs: 2 views of 694 images, and 200 validation images."""
    folder = tmp_path_factory.mktemp("features")
    assert start("heads_features.py", folder).wait() == 0
    return folder


def train(folder, precision, conventions, seeds):
    """Train in Keras, in PyTorch and in PyTorch with each batch in reverse, side by side: three lists of `Trained`."""
    kinds = {"keras": ["keras"], "torch": ["torch"], "control": ["torch", "--reverse"]}
    running = [start("heads_compute.py", framework, precision, conventions, folder, seeds, folder / kind, *more)
               for kind, (framework, *more) in kinds.items()]
    assert [process.wait() for process in running] == [0, 0, 0]
    return [pickle.loads((folder / kind).read_bytes()) for kind in kinds]


@pytest.mark.parametrize("conventions", ["keras", "torch"])
def test_float64(folder, conventions):
    keras, torch, _ = train(folder, "float64", conventions, seeds=2)
    assert len(torch[0].losses) == 660 and torch[0].losses[-20:].mean() < torch[0].losses[:20].mean() / 2
    assert torch[0].probabilities.shape == (30, 200, 2)
    measured = parity.measure_heads(keras, torch)
    print(conventions, measured)
    assert measured["classes"] == 0
    for name, bound in BOUNDS.items():
        assert measured[name] <= bound, name


@pytest.mark.parametrize("conventions", ["keras", "torch"])
def test_float32_over_20_seeds(folder, conventions):
    """Beyond rounding a seed parts where a ReLU tips, in PyTorch against itself as often: no bound holds for all."""
    keras, torch, control = train(folder, "float32", conventions, seeds=20)
    for name, pair in (("frameworks", (keras, torch)), ("control", (control, torch))):
        print(conventions, name, parity.measure_heads(*pair))
        losses = np.array([parity.of_losses(a.losses, b.losses) for a, b in zip(*pair)])  # (seeds, steps)
        assert (losses[:, :100].max(axis=1) <= 1e-5).sum() >= 18  # measured: 19 or 20 of 20
        assert np.median(losses.max(axis=1)) <= 1e-5  # over all steps; measured: 9e-7
        parted = (losses.max(axis=1) > PARTED).sum()
        print(parted, "of 20 parted")
        assert parted <= 10  # measured: 6 and 1 (frameworks), 1 and 3 (control)
