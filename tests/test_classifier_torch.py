"""The saved classifier: the same bytes each time, and PyTorch alone to read it."""

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from versus.frameworks.torch import backbone as backbone_torch
from versus.frameworks.torch import classifier as classifier_torch
from versus.recipe import draws
from versus import params

MODEL = params.load().model.model_copy(update={"image_size": 64, "hidden": 8})
WIDTHS = [1280, 8, 3]
ALONE = """
import sys
import zipfile
from pathlib import Path
import numpy as np
import torch
program = torch.export.load("classifier.pt2").module()
np.save("found.npy", program(torch.from_numpy(np.load("pixels.npy"))).detach().numpy())
assert not {"versus", "timm", "torchvision"} & set(sys.modules)
"""


@pytest.fixture(scope="module")
def tensors():
    return backbone_torch.find_weights(MODEL)


def assemble(tensors):
    statistics = {"bn1.running_mean": np.linspace(0, 1, 32, dtype="float32")}
    weights = [(kernel.astype("float32"), bias.astype("float32"))
               for kernel, bias in draws.first_weights(0, WIDTHS, "fan_in")]
    return classifier_torch.assemble(MODEL, tensors, statistics, weights, WIDTHS)


def digests(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_same_bytes_and_torch_alone(tensors, tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        classifier_torch.save(assemble(tensors), folder)
    assert digests(one) == digests(other)
    with zipfile.ZipFile(one / "classifier.pt2") as archive:  # nor do they depend on where the repository lies
        assert not any(str(Path(__file__).parents[1]).encode() in archive.read(name) for name in archive.namelist())

    pixels = np.random.default_rng(0).uniform(0, 255, (3, 3, 64, 64)).astype("float32")
    np.save(one / "pixels.npy", pixels)
    subprocess.run([sys.executable, "-c", ALONE], cwd=one, check=True)
    with torch.inference_mode():
        expected = assemble(tensors)(torch.from_numpy(pixels)).numpy()
        np.testing.assert_allclose(np.load(one / "found.npy"), expected, atol=1e-6)
        classifier, backbone = classifier_torch.load(one)
        np.testing.assert_allclose(classifier(torch.from_numpy(pixels)), expected, atol=1e-6)
        assert backbone(torch.from_numpy(pixels)).shape == (3, 1280)
