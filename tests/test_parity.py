"""With every convention equal, Keras and PyTorch compute the same numbers: real backbones, each in its own process."""

import pickle

import numpy as np
import pytest

from tests.helpers.compute_parity import cases
from tests.helpers.faults import FAULTS
from tests.helpers.processes import run
from versus.artifacts.feature_cache import digest
from versus.artifacts.features import Features
from versus.artifacts.heads import Trained
from versus.artifacts.predictions import Predictions
from versus.evaluation import completeness, parity
from versus.recipe.conventions import resolve

# at most ten times the worst that was measured: see docs/parity.md
NAMES = ("features", "statistics", "losses", "weights", "probabilities")
BOUNDS = {
    "float64 frozen": dict(zip(NAMES, (8e-14, 0, 2e-13, 1e-13, 1e-13))),
    "float64 batch": dict(zip(NAMES, (6e-12, 2e-11, 4e-12, 3e-11, 5e-12))),
    "float32 frozen": dict(zip(NAMES, (1e-5, 0, 1e-4, 1e-5, 2e-5))),
    "float32 batch": dict(zip(NAMES, (1e-4, 5e-4, 1e-3, 3e-3, 5e-4))),
}


def compute(photographs, folder, precision, *more, only_in_torch=()):
    """Compute all cases with both competitors: {competitor: {case: (features, heads)}}."""
    results = {}
    for name in ("torch", "keras"):
        out = folder / f"{name}.pickle"
        run("compute_parity", name, precision, photographs, folder / "weights.safetensors", out, *more,
            *(only_in_torch if name == "torch" else ()))
        results[name] = pickle.loads(out.read_bytes())
    return results


def judge(computed, native):
    """Judge whether a corner and a native run, (features, heads) each, are the same."""
    predictions = []
    for _, heads in (computed, native):
        probabilities = np.array([trained.probabilities for trained in heads], float)
        seeds, images, classes = probabilities.shape
        predictions.append(Predictions(tuple(range(seeds)), tuple(map(str, range(images))),
                                       tuple(map(str, range(classes))), np.zeros(images, int), probabilities))
    features = computed[0], native[0]
    same_pixels = len({digest(each.pixels) for each in features}) == 1
    corner = completeness.Corner(features, same_pixels, tuple(predictions))
    return completeness.judge((corner, corner))


def check(results, precision):
    for case, section in cases("each").items():
        if case not in results["keras"]:
            continue
        one, other = (results[name][case] for name in ("keras", "torch"))
        kind = "batch" if resolve(section, "keras").batch_statistics else "frozen"
        measured = parity.measure(parity.Run(*one), parity.Run(*other))
        print(case, measured)
        assert measured["pixels"] == 0, case
        assert measured["classes"] == 0, case
        for name, bound in BOUNDS[f"{precision} {kind}"].items():
            assert measured[name] <= bound, (case, name)
        assert judge(one, other).complete, case


def test_each_convention_at_float64(photographs, tmp_path):
    results = compute(photographs, tmp_path, "float64")
    assert len(results["keras"]) == 26
    check(results, "float64")
    frozen = [case for case, section in cases("each").items() if not resolve(section, "keras").batch_statistics]
    losses = {results["keras"][case][1][0].losses[-1] for case in frozen}
    assert len(losses) == len(frozen)  # every convention does change something


def test_all_conventions_at_float32(photographs, tmp_path):
    check(compute(photographs, tmp_path, "float32", "--cases", "all"), "float32")


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_resnet50_of_random_weights(photographs, tmp_path, precision):
    check(compute(photographs, tmp_path, precision, "--backbone", "resnet50", "--cases", "all"), precision)


def test_what_the_table_does_not_hold_is_noticed_where_it_first_appears(photographs, tmp_path):
    """Ten faults of PyTorch's side alone; and without them the corner is the native run."""
    results = compute(photographs, tmp_path, "float32", "--cases", "all", only_in_torch=("--faults",))
    corner = results["keras"]["torch today"]
    assert judge(corner, results["torch"]["torch today"]).complete
    noticed = {name: judge(corner, results["torch"][name]).stage for name in FAULTS}
    assert noticed == {name: stage for name, (_, stage) in FAULTS.items()}


def test_what_is_not_a_number_is_not_equal():
    one = np.ones((2, 3))
    other = np.array([[1.0, 1, 1], [1, np.nan, 1]])
    assert np.isnan(parity.relative(one, other)) and np.isnan(parity.largest(one, other))


def test_statistics_of_two_networks_are_as_far_apart_as_possible():
    features = [Features(np.ones((1, 2, 3)), {"validation": np.ones((1, 2, 3))}, [{name: np.ones(3)}], np.ones(1))
                for name in ("bn1.running_mean", "conv1_bn.running_mean")]
    head = Trained([(np.ones((3, 2)), np.ones(2))] * 2, np.ones(4), np.ones((2, 2)))
    measured = parity.measure(*(parity.Run(each, [head]) for each in features))
    assert measured["statistics"] == 1 and measured["features"] == measured["weights"] == measured["classes"] == 0
