"""With every convention equal, Keras and PyTorch compute the same numbers: real backbones, each in its own process."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from versus.evaluation import parity
from versus.artifacts.features import Features
from versus.frameworks.training import Trained

ROOT = Path(__file__).parents[1]
# where tests share the cores, OpenMP's threads would spin in wait for each other
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "PASSIVE"}
AVP = ROOT.parent / "shared" / "avp" / "train"
# at most ten times the worst that was measured: see README, "Parity"
NAMES = ("features", "statistics", "losses", "weights", "probabilities")
BOUNDS = {
    "float64 frozen": dict(zip(NAMES, (8e-14, 0, 2e-13, 1e-13, 1e-13))),
    "float64 batch": dict(zip(NAMES, (6e-12, 2e-11, 4e-12, 3e-11, 5e-12))),
    "float32 frozen": dict(zip(NAMES, (1e-5, 0, 1e-4, 1e-5, 2e-5))),
    "float32 batch": dict(zip(NAMES, (1e-4, 5e-4, 7e-5, 1e-3, 5e-5))),
}


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """24 pictures of two classes in JPEG of all kinds of sizes: real ones if they are there."""
    folder = tmp_path_factory.mktemp("images")
    for kind in ("alien", "predator"):
        (folder / kind).mkdir()
        for number in range(12):
            if AVP.is_dir():
                (folder / kind / f"{number}.jpg").write_bytes((AVP / kind / f"{number}.jpg").read_bytes())
            else:
                noise = np.random.default_rng([number, kind == "alien"])
                small = noise.integers(0, 256, (12, 9, 3), np.uint8)
                Image.fromarray(small).resize((150 + number, 250 - number)).save(folder / kind / f"{number}.jpg")
    return folder


def compute(images, folder, precision, *more, broken=()):
    found = {}
    for framework in ("torch", "keras"):
        out = folder / f"{framework}.pickle"
        command = [sys.executable, ROOT / "tests" / "parity_compute.py", framework, precision, images,
                   folder / "weights.safetensors", out, *more, *(broken if framework == "keras" else ())]
        subprocess.run(command, check=True, cwd=ROOT, env=ENVIRONMENT)
        found[framework] = pickle.loads(out.read_bytes())
    return found


def differences(found, case):
    sides = [parity.Stages(features.pixels, features, heads)
             for features, heads in (found["keras"][case], found["torch"][case])]
    return parity.measure(*sides)


def check(found, precision):
    for case in found["keras"]:
        moved = found["torch"][case][0].statistics
        bounds = BOUNDS[f"{precision} {'batch' if moved else 'frozen'}"]
        measured = differences(found, case)
        print(case, measured)
        assert measured["pixels"] == 0, case
        assert measured["classes"] == 0, case
        for name, bound in bounds.items():
            assert measured[name] <= bound, (case, name)


def test_each_convention_at_float64(images, tmp_path):
    found = compute(images, tmp_path, "float64")
    assert len(found["keras"]) == 14
    check(found, "float64")
    frozen = [case for case in found["keras"] if not found["torch"][case][0].statistics]
    losses = {found["keras"][case][1][0].losses[-1] for case in frozen}
    assert len(losses) == len(frozen)  # every convention does change something


def test_all_conventions_at_float32(images, tmp_path):
    check(compute(images, tmp_path, "float32", "--cases", "all"), "float32")


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_resnet50_of_random_weights(images, tmp_path, precision):
    check(compute(images, tmp_path, precision, "--backbone", "resnet50", "--cases", "all"), precision)


def test_what_is_not_a_number_is_not_equal():
    one = np.ones((2, 3))
    other = np.array([[1.0, 1, 1], [1, np.nan, 1]])
    assert np.isnan(parity.relative(one, other)) and np.isnan(parity.largest(one, other))


def test_statistics_of_two_networks_are_as_far_apart_as_it_goes():
    features = [Features(np.ones((1, 2, 3)), np.ones((1, 2, 3)), [{name: np.ones(3)}], np.ones(1))
                for name in ("bn1.running_mean", "conv1_bn.running_mean")]
    head = Trained([(np.ones((3, 2)), np.ones(2))] * 2, np.ones(4), np.ones((1, 2, 2)))
    found = parity.measure(*(parity.Stages(each.pixels, each, [head]) for each in features))
    assert found["statistics"] == 1 and found["features"] == found["weights"] == found["classes"] == 0


def test_probabilities_of_the_same_epochs_are_compared():
    weights, losses = [(np.ones((3, 2)), np.ones(2))] * 2, np.ones(4)
    all_epochs = Trained(weights, losses, np.array([[[0.9, 0.1]], [[0.5, 0.5]], [[0.4, 0.6]]]))
    others = Trained(weights, losses, np.array([[[0.9, 0.1]], [[0.3, 0.7]], [[0.4, 0.6]]]))
    saved = Trained(weights, losses, np.array([[[0.4, 0.6]]]))
    assert parity.measure_heads([all_epochs], [others])["probabilities"] == pytest.approx(0.2)
    for pair in ((all_epochs, saved), (saved, all_epochs)):
        assert parity.measure_heads(*([each] for each in pair))["probabilities"] == 0


@pytest.mark.parametrize("broken", ["epsilon", "antialias"])
def test_a_broken_convention_is_caught(images, tmp_path, broken):
    found = compute(images, tmp_path, "float32", "--cases", "all", broken=["--broken", broken])
    for case in ("keras", "torch"):
        assert differences(found, case)["features"] > 100 * BOUNDS["float32 batch"]["features"], case
