"""The backbones in PyTorch: the names, shapes and statistics that the Keras twin has to share, and their weights."""

import hashlib
import pickle
import re
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import timm
import torch
import torchvision
from safetensors.torch import save_file

from versus.frameworks.torch import backbone as backbone_torch
from versus import params
from versus.recipe import weights
from versus.recipe.weights import ARCHITECTURES, WeightsError

MODEL = params.load().model.model_copy(update={"image_size": 64, "weights": "random"})
RESNET50 = MODEL.model_copy(update={"backbone": "resnet50", "weights": "shared"})
# number of tensors, hash of names and shapes: the same lines in test_backbone_keras.py
TENSORS = {"efficientnet_lite0": (245, "9f74acb30492e917"), "resnet50": (265, "f2cb7e91e337274f")}
PIXELS = torch.from_numpy(np.random.default_rng(0).uniform(0, 255, (4, 3, 64, 64)).astype(np.float32))


@pytest.fixture(scope="module")
def tensors():
    return backbone_torch.find_weights(MODEL)


def test_both_frameworks_have_the_same_names_and_shapes():
    for name, expected in TENSORS.items():
        shapes = backbone_torch.shapes(backbone_torch.Backbone(name))
        text = repr(sorted((name, tuple(map(int, shape))) for name, shape in shapes.items()))
        assert (len(shapes), hashlib.sha256(text.encode()).hexdigest()[:16]) == expected


def test_lite0_is_timms_under_its_own_normalisation(tensors):
    network = timm.create_model("tf_efficientnet_lite0", num_classes=0).eval()
    network.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in tensors.items()}, strict=False)
    with torch.inference_mode():
        expected = network((PIXELS - 127) / 128)
        np.testing.assert_array_equal(backbone_torch.build(MODEL, tensors, "frozen")(PIXELS), expected)


def test_resnet50_constants_are_those_of_torchvisions_weights():
    preset = torchvision.models.ResNet50_Weights.IMAGENET1K_V1.transforms()
    np.testing.assert_allclose(ARCHITECTURES["resnet50"].mean, np.array(preset.mean) * 255)
    np.testing.assert_allclose(np.sqrt(ARCHITECTURES["resnet50"].variance), np.array(preset.std) * 255)
    for name, architecture in ARCHITECTURES.items():
        layers = [m for m in backbone_torch.Backbone(name).modules() if isinstance(m, torch.nn.BatchNorm2d)]
        assert {(layer.eps, layer.momentum) for layer in layers} == {(architecture.epsilon, architecture.momentum)}


def test_the_packages_tensors_are_those_of_imagenet(tensors):
    """Trained weights differ from random ones in what training leaves behind: variances far from one, say."""
    trained = backbone_torch.find_weights(MODEL.model_copy(update={"weights": "shared"}))
    assert trained.keys() == tensors.keys()
    variances = np.concatenate([tensor for name, tensor in trained.items() if name.endswith("running_var")])
    assert variances.min() >= 0 and variances.max() > 10


# weights from files

def find_in_file(path, tensors):
    """Save numpy arrays and torch tensors; find them as a user's weights."""
    save_file({name: torch.as_tensor(tensor) for name, tensor in tensors.items()}, path)
    return backbone_torch.find_weights(MODEL.model_copy(update={"weights": str(path)}))


def test_a_safetensors_file_gives_the_same_features(tensors, tmp_path):
    found = find_in_file(tmp_path / "mine.safetensors", tensors | {"bn1.num_batches_tracked": torch.tensor(7)})
    one, other = (backbone_torch.build(MODEL, each, "frozen") for each in (tensors, found))
    with torch.inference_mode():
        np.testing.assert_array_equal(one(PIXELS), other(PIXELS))


@pytest.mark.parametrize("kind", [np.float16, np.float64])
def test_other_floats_are_taken_as_they_are(tensors, tmp_path, kind):
    expected = tensors["bn1.bias"].astype(kind)
    found = find_in_file(tmp_path / "mine.safetensors", tensors | {"bn1.bias": expected})["bn1.bias"]
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == kind


@pytest.mark.parametrize("change, message", [
    (lambda bias: bias.to(torch.bfloat16), "of type BF16, which numpy cannot hold; save it as float32"),
    (lambda bias: bias.to(torch.float8_e5m2), "of type F8_E5M2, which numpy cannot hold; save it as float32"),
    (lambda bias: bias.to(torch.int64), "of type int64, expected float16, float32 or float64; save it as float32"),
    (lambda bias: bias.to(torch.bool), "of type bool, expected float16, float32 or float64; save it as float32"),
    (lambda bias: bias * torch.tensor([torch.nan] + 31 * [1]),
     "with 1 of 32 numbers NaN or infinite, expected finite ones; save finite ones, as float32"),
    (lambda bias: bias / torch.eye(32)[0],
     "with 31 of 32 numbers NaN or infinite, expected finite ones; save finite ones, as float32"),
    (lambda bias: bias[:5], "of shape (5,), expected (32,); use a file of this backbone"),
])
def test_other_than_finite_floats_are_refused(tensors, tmp_path, change, message):
    changed = change(torch.from_numpy(tensors["bn1.bias"])).contiguous()
    with pytest.raises(WeightsError, match=re.escape(f"got bn1.bias {message}")):
        find_in_file(tmp_path / "mine.safetensors", tensors | {"bn1.bias": changed})


def test_what_is_no_file_of_this_backbone_is_refused(tensors, tmp_path):
    few = {name: tensor for name, tensor in tensors.items() if name != "bn1.bias"}
    with pytest.raises(WeightsError, match="got 244 tensors, expected 245; missing: .'bn1.bias'"):
        find_in_file(tmp_path / "few.safetensors", few)
    (tmp_path / "none.safetensors").write_bytes(b"none")
    with pytest.raises(WeightsError, match="none.safetensors', which cannot be read"):
        backbone_torch.find_weights(MODEL.model_copy(update={"weights": str(tmp_path / "none.safetensors")}))


# torchvision's ImageNet weights: they cannot be had here, so other files stand in their place in the cache

@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The path where PyTorch looks for them."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    (tmp_path / "hub/checkpoints").mkdir(parents=True)
    return tmp_path / "hub/checkpoints/resnet50-0676ba61.pth"


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*arguments, **keywords):
        raise URLError("no network")

    monkeypatch.setattr("urllib.request.OpenerDirector.open", refuse)


def test_missing_imagenet_weights_name_the_file(cache, no_network):
    with pytest.raises(WeightsError, match=f"no network.*{cache.name} elsewhere and put it at {cache}, or use backb"):
        backbone_torch.find_weights(RESNET50)


class Malicious:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_wrong_imagenet_weights_are_named_and_kept_and_never_run(cache, tmp_path, no_network):
    torch.save(torchvision.models.resnet50().state_dict(), cache)
    planted = tmp_path / "planted"
    for content in (cache.read_bytes(), b"<html>not found</html>", b"", pickle.dumps(Malicious(planted))):
        cache.write_bytes(content)
        got = hashlib.sha256(content).hexdigest()
        message = f"{cache}: got sha256 {got[:16]}…, expected 0676ba61…; download "
        with pytest.raises(WeightsError, match=re.escape(message)):
            backbone_torch.find_weights(RESNET50)
        assert cache.read_bytes() == content
    assert not planted.exists()


def test_imagenet_weights_are_downloaded_once(cache, tmp_path, monkeypatch):
    """With a file whose checksum is right, and so the name, as the published one's would be."""
    state = torchvision.models.resnet50().state_dict()
    torch.save(state, tmp_path / "saved.pth")
    digest = hashlib.sha256((tmp_path / "saved.pth").read_bytes()).hexdigest()[:8]
    served = (tmp_path / "saved.pth").rename(tmp_path / f"resnet50-{digest}.pth")
    published = torchvision.models.ResNet50_Weights.IMAGENET1K_V1
    monkeypatch.setattr(published, "_value_", published.value.__class__(
        url=served.as_uri(), transforms=published.transforms, meta=published.meta))
    for _ in range(2):
        found = backbone_torch.find_weights(RESNET50)
        np.testing.assert_array_equal(found["layer1.0.conv1.weight"], state["layer1.0.conv1.weight"])
        served.unlink(missing_ok=True)
    assert cache.with_name(served.name).exists()


# batch norm

def test_frozen_and_training_mode_take_other_statistics(tensors):
    """The first layer's output is normalised in numpy, by what is stored or by the batch, biased variance."""
    for batch_norm in ("frozen", "batch"):
        backbone = backbone_torch.build(MODEL, tensors, batch_norm)
        found = {}
        backbone.network.bn1.register_forward_hook(lambda layer, inputs, output: found.update(x=inputs[0], y=output))
        with torch.inference_mode():
            backbone(PIXELS)
        x = found["x"].double().numpy()
        means, variances = x.mean((0, 2, 3)), x.var((0, 2, 3))
        if batch_norm == "frozen":
            means, variances = tensors["bn1.running_mean"], tensors["bn1.running_var"]
        expected = closed_form(x, means, variances, tensors["bn1.weight"], tensors["bn1.bias"])
        np.testing.assert_allclose(found["y"], expected, atol=1e-4)


def closed_form(x, means, variances, weight, bias):
    """Normalise (n, channels, height, width) and clip as relu6 does, which timm's layer includes."""
    means, variances, weight, bias = (each[:, None, None].astype(float) for each in (means, variances, weight, bias))
    epsilon = ARCHITECTURES["efficientnet_lite0"].epsilon
    return np.clip((x - means) / np.sqrt(variances + epsilon) * weight + bias, 0, 6)


def test_running_statistics_move_by_the_unbiased_variance(tensors):
    backbone = backbone_torch.build(MODEL, tensors, "batch")
    seen = []
    backbone.network.bn1.register_forward_hook(lambda layer, inputs, output: seen.append(inputs[0].double().numpy()))
    with torch.inference_mode():
        backbone(PIXELS)
    found, x = backbone_torch.statistics(backbone), seen[0]
    expected = moved(tensors["bn1.running_mean"], x.mean((0, 2, 3)))
    np.testing.assert_allclose(found["bn1.running_mean"], expected, rtol=1e-5, atol=1e-6)
    biased, unbiased = (moved(tensors["bn1.running_var"], x.var((0, 2, 3), ddof=ddof)) for ddof in (0, 1))
    np.testing.assert_allclose(found["bn1.running_var"], unbiased, rtol=2e-6)
    assert np.abs(biased / unbiased - 1).max() > 2e-5  # which the bound above would not let pass


def moved(stored, of_batch):
    return 0.9 * stored + 0.1 * of_batch


def test_a_frozen_backbone_never_moves(tensors):
    backbone = backbone_torch.build(MODEL, tensors, "frozen")
    with torch.inference_mode():
        backbone(PIXELS)
    for name, values in backbone_torch.statistics(backbone).items():
        np.testing.assert_array_equal(values, tensors[name])


def test_moved_statistics_are_put_back(tensors):
    moving, frozen = (backbone_torch.build(MODEL, tensors, batch_norm) for batch_norm in ("batch", "frozen"))
    with torch.inference_mode():
        before = frozen(PIXELS)
        moving(PIXELS)
        backbone_torch.move(frozen, backbone_torch.statistics(moving))
        np.testing.assert_array_equal(frozen(PIXELS), moving.eval()(PIXELS))
        assert not np.allclose(frozen(PIXELS), before)


def test_statistics_are_copies(tensors):
    backbone = backbone_torch.build(MODEL, tensors, "batch")
    kept = backbone_torch.statistics(backbone)
    with torch.inference_mode():
        backbone(PIXELS)
    np.testing.assert_array_equal(kept["bn1.running_mean"], tensors["bn1.running_mean"])


@pytest.mark.parametrize("epsilon", [1e-5, 1e-2])
def test_another_epsilon_would_be_seen(tensors, epsilon):
    right, wrong = (backbone_torch.build(MODEL, tensors, "frozen") for _ in range(2))
    for layer in wrong.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.eps = epsilon
    with torch.inference_mode():
        difference = (wrong(PIXELS) - right(PIXELS)).norm() / right(PIXELS).norm()
    assert difference > 1e-3  # a hundred times the bound of parity at float32


def test_random_weights_are_drawn_alike_and_within_reason():
    shapes = backbone_torch.shapes(backbone_torch.Backbone("resnet50"))
    drawn, again = weights.draw(shapes), weights.draw(shapes)
    for name, shape in shapes.items():
        np.testing.assert_array_equal(drawn[name], again[name])
        assert drawn[name].shape == shape
    kernel = drawn["layer3.0.conv2.weight"]
    assert kernel.std() == pytest.approx(np.sqrt(2 / np.prod(kernel.shape[1:])), rel=0.01)  # He et al. 2015
    backbone = backbone_torch.build(MODEL.model_copy(update={"backbone": "resnet50"}), drawn, "frozen")
    with torch.inference_mode():
        features = backbone(PIXELS)
    assert features.shape == (4, 2048) and features.isfinite().all()
    assert 0.01 < features.std(0).mean() / features.mean() < 1  # images differ, sums do not explode
