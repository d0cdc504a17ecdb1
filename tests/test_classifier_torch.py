"""The saved classifier: the same bytes each time, and PyTorch alone to read it; the weights it is made of."""

import hashlib
import subprocess
import sys

import numpy as np
import pytest
import timm
import torch
import torchvision
from safetensors.numpy import save_file

from versus import backbone_torch, classifier_torch, draws, params
from versus.weights import ARCHITECTURES, WeightsError

MODEL = params.load().model.model_copy(update={"image_size": 64, "hidden": 8})
WIDTHS = [1280, 8, 3]
ALONE = """
import sys
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

    pixels = np.random.default_rng(0).uniform(0, 255, (3, 3, 64, 64)).astype("float32")
    np.save(one / "pixels.npy", pixels)
    subprocess.run([sys.executable, "-c", ALONE], cwd=one, check=True)
    with torch.inference_mode():
        expected = assemble(tensors)(torch.from_numpy(pixels)).numpy()
        np.testing.assert_allclose(np.load(one / "found.npy"), expected, atol=1e-6)
        classifier, backbone = classifier_torch.load(one)
        np.testing.assert_allclose(classifier(torch.from_numpy(pixels)), expected, atol=1e-6)
        assert backbone(torch.from_numpy(pixels)).shape == (3, 1280)


def test_lite0_is_timms_under_its_own_normalisation(tensors):
    pixels = torch.rand(2, 3, 64, 64) * 255
    network = timm.create_model("tf_efficientnet_lite0", num_classes=0).eval()
    network.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in tensors.items()}, strict=False)
    with torch.inference_mode():
        expected = network((pixels - 127) / 128)
        np.testing.assert_array_equal(backbone_torch.build(MODEL, tensors, "frozen")(pixels), expected)


def test_resnet50_constants_are_those_of_torchvisions_weights():
    preset = torchvision.models.ResNet50_Weights.IMAGENET1K_V1.transforms()
    np.testing.assert_allclose(ARCHITECTURES["resnet50"].mean, np.array(preset.mean) * 255)
    np.testing.assert_allclose(np.sqrt(ARCHITECTURES["resnet50"].variance), np.array(preset.std) * 255)
    for name, architecture in ARCHITECTURES.items():
        layers = [m for m in backbone_torch.Backbone(name).modules() if isinstance(m, torch.nn.BatchNorm2d)]
        assert {(layer.eps, layer.momentum) for layer in layers} == {(architecture.epsilon, architecture.momentum)}


def test_training_mode_moves_the_statistics_and_evaluation_does_not(tensors):
    pixels = torch.rand(4, 3, 64, 64) * 255
    for batch_norm, moves in (("frozen", False), ("batch", True)):
        backbone = backbone_torch.build(MODEL, tensors, batch_norm)
        with torch.inference_mode():
            backbone(pixels)
        after = backbone_torch.statistics(backbone)["bn1.running_mean"]
        assert (not np.array_equal(after, tensors["bn1.running_mean"])) == moves


def test_wrong_weights_are_refused(tensors, tmp_path):
    save_file({name: tensor for name, tensor in tensors.items() if name != "bn1.bias"}, tmp_path / "short.safetensors")
    (tmp_path / "none.safetensors").write_bytes(b"none")
    for name, message in (("short", "got 244 tensors, expected 245; missing: .'bn1.bias'"), ("none", "cannot be read")):
        with pytest.raises(WeightsError, match=message):
            backbone_torch.find_weights(MODEL.model_copy(update={"weights": str(tmp_path / f"{name}.safetensors")}))


def test_missing_or_wrong_imagenet_weights_name_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    resnet = MODEL.model_copy(update={"backbone": "resnet50"})
    path = tmp_path / "hub" / "checkpoints" / "resnet50-0676ba61.pth"
    path.parent.mkdir(parents=True)
    with pytest.raises(WeightsError, match="put it at .*resnet50-0676ba61.pth"):
        backbone_torch.find_weights(resnet)
    torch.save(torchvision.models.resnet50().state_dict(), path)
    with pytest.raises(WeightsError, match="expected 0676ba61…; download .*resnet50-0676ba61.pth elsewhere"):
        backbone_torch.find_weights(resnet)


def test_imagenet_weights_in_the_cache_are_used(tmp_path, monkeypatch):
    """With a file whose checksum is right; the published one is not to be had here, so its name tells another's."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    state = torchvision.models.resnet50().state_dict()
    torch.save(state, tmp_path / "saved.pth")
    digest = hashlib.sha256((tmp_path / "saved.pth").read_bytes()).hexdigest()[:8]
    path = tmp_path / "hub" / "checkpoints" / f"resnet50-{digest}.pth"
    path.parent.mkdir(parents=True)
    (tmp_path / "saved.pth").rename(path)
    published = torchvision.models.ResNet50_Weights.IMAGENET1K_V1
    monkeypatch.setattr(published, "_value_", published.value.__class__(
        url=f"https://download.example/{path.name}", transforms=published.transforms, meta=published.meta))
    found = backbone_torch.find_weights(MODEL.model_copy(update={"backbone": "resnet50"}))
    np.testing.assert_array_equal(found["layer1.0.conv1.weight"], state["layer1.0.conv1.weight"])
