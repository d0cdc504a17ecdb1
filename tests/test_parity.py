"""With every convention equal, Keras and PyTorch compute the same numbers: real backbones, each in its own process."""

import pickle

import numpy as np
import pytest

from tests.helpers.processes import run
from versus.artifacts.features import Features
from versus.artifacts.heads import Trained
from versus.evaluation import parity

# at most ten times the worst that was measured: see docs/parity.md
NAMES = ("features", "statistics", "losses", "weights", "probabilities")
BOUNDS = {
    "float64 frozen": dict(zip(NAMES, (8e-14, 0, 2e-13, 1e-13, 1e-13))),
    "float64 batch": dict(zip(NAMES, (6e-12, 2e-11, 4e-12, 3e-11, 5e-12))),
    "float32 frozen": dict(zip(NAMES, (1e-5, 0, 1e-4, 1e-5, 2e-5))),
    "float32 batch": dict(zip(NAMES, (1e-4, 5e-4, 7e-5, 1e-3, 5e-5))),
}


def compute(photographs, folder, precision, *more, broken=()):
    """Compute all cases with both competitors: {competitor: {case: (features, heads)}}."""
    results = {}
    for name in ("torch", "keras"):
        out = folder / f"{name}.pickle"
        run("compute_parity", name, precision, photographs, folder / "weights.safetensors", out, *more,
            *(broken if name == "keras" else ()))
        results[name] = pickle.loads(out.read_bytes())
    return results


def differences(results, case):
    return parity.measure(*(parity.Run(*results[name][case]) for name in ("keras", "torch")))


def check(results, precision):
    for case in results["keras"]:
        updated = results["torch"][case][0].statistics
        bounds = BOUNDS[f"{precision} {'batch' if updated else 'frozen'}"]
        measured = differences(results, case)
        print(case, measured)
        assert measured["pixels"] == 0, case
        assert measured["classes"] == 0, case
        for name, bound in bounds.items():
            assert measured[name] <= bound, (case, name)


def test_each_convention_at_float64(photographs, tmp_path):
    results = compute(photographs, tmp_path, "float64")
    assert len(results["keras"]) == 26
    check(results, "float64")
    frozen = [case for case in results["keras"] if not results["torch"][case][0].statistics]
    losses = {results["keras"][case][1][0].losses[-1] for case in frozen}
    assert len(losses) == len(frozen)  # every convention does change something


def test_all_conventions_at_float32(photographs, tmp_path):
    check(compute(photographs, tmp_path, "float32", "--cases", "all"), "float32")


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_resnet50_of_random_weights(photographs, tmp_path, precision):
    check(compute(photographs, tmp_path, precision, "--backbone", "resnet50", "--cases", "all"), precision)


@pytest.mark.parametrize("broken", ["epsilon", "antialias"])
def test_a_broken_convention_is_caught(photographs, tmp_path, broken):
    results = compute(photographs, tmp_path, "float32", "--cases", "all", broken=["--broken", broken])
    for case in ("keras today", "torch today"):
        assert differences(results, case)["features"] > 100 * BOUNDS["float32 batch"]["features"], case


def test_what_is_not_a_number_is_not_equal():
    one = np.ones((2, 3))
    other = np.array([[1.0, 1, 1], [1, np.nan, 1]])
    assert np.isnan(parity.relative(one, other)) and np.isnan(parity.largest(one, other))


def test_statistics_of_two_networks_are_as_far_apart_as_possible():
    features = [Features(np.ones((1, 2, 3)), {"validation": np.ones((1, 2, 3))}, [{name: np.ones(3)}], np.ones(1))
                for name in ("bn1.running_mean", "conv1_bn.running_mean")]
    head = Trained([(np.ones((3, 2)), np.ones(2))] * 2, np.ones(4), np.ones((1, 2, 2)))
    measured = parity.measure(*(parity.Run(each, [head]) for each in features))
    assert measured["statistics"] == 1 and measured["features"] == measured["weights"] == measured["classes"] == 0


def test_probabilities_of_the_same_epochs_are_compared():
    weights, losses = [(np.ones((3, 2)), np.ones(2))] * 2, np.ones(4)
    all_epochs = Trained(weights, losses, np.array([[[0.9, 0.1]], [[0.5, 0.5]], [[0.4, 0.6]]]))
    others = Trained(weights, losses, np.array([[[0.9, 0.1]], [[0.3, 0.7]], [[0.4, 0.6]]]))
    saved = Trained(weights, losses, np.array([[[0.4, 0.6]]]))
    assert parity.measure_heads([all_epochs], [others])["probabilities"] == pytest.approx(0.2)
    for pair in ((all_epochs, saved), (saved, all_epochs)):
        assert parity.measure_heads(*([each] for each in pair))["probabilities"] == 0
