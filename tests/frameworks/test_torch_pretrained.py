"""The weights that all frameworks share, which PyTorch finds: in a package, in torchvision, in a user's file."""

import re

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.frameworks import adapters_torch
from tests.helpers.backbones import MODEL, MODELS, PIXELS
from versus.frameworks.torch import backbone as backbones
from versus.frameworks.torch.pretrained import find_weights
from versus.recipe.weights import Pretrained, WeightsError


@pytest.fixture
def drawn(tensors):
    """The random tensors of Lite0."""
    return tensors["efficientnet_lite0"]


@pytest.fixture
def find(shapes):
    """Find weights by the key model.weights: `find(weights, name)`."""
    def find(weights, name="efficientnet_lite0"):
        return find_weights(MODELS[name].model_copy(update={"weights": str(weights)}), shapes[name])

    return find


@pytest.fixture
def find_in_file(find, tmp_path):
    """Save numpy arrays and torch tensors; find them as a user's weights."""
    def find_in_file(tensors):
        path = tmp_path / "mine.safetensors"
        save_file({name: torch.as_tensor(tensor) for name, tensor in tensors.items()}, path)
        return find(path)

    return find_in_file


def test_random_weights_are_those_drawn(find, drawn):
    tensors = find("random")
    assert tensors.keys() == drawn.keys()
    for name in drawn:
        np.testing.assert_array_equal(tensors[name], drawn[name])


def test_the_packages_tensors_are_those_of_imagenet(find, drawn):
    """Trained weights differ from random ones in what training leaves behind: variances far from one, say."""
    trained = find("shared")
    assert trained.keys() == drawn.keys()
    variances = np.concatenate([tensor for name, tensor in trained.items() if name.endswith("running_var")])
    assert variances.min() >= 0 and variances.max() > 10


def test_torchvisions_tensors_are_those_of_its_file(find, shapes, cache, tmp_path, monkeypatch):
    published = torch.load(adapters_torch.publish(tmp_path, monkeypatch))
    tensors = find("shared", "resnet50")
    assert tensors.keys() == shapes["resnet50"].keys()
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(tensor, published[name])


# a user's file

def test_a_safetensors_file_gives_the_same_features(find_in_file, lite0, drawn):
    tensors = find_in_file(drawn | {"bn1.num_batches_tracked": torch.tensor(7)})
    backbone = backbones.build(MODEL, Pretrained(tensors), "saved")
    np.testing.assert_array_equal(adapters_torch.apply(backbone, PIXELS), adapters_torch.apply(lite0, PIXELS))


@pytest.mark.parametrize("kind", [np.float16, np.float64])
def test_other_floats_are_taken_as_they_are(find_in_file, drawn, kind):
    expected = drawn["bn1.bias"].astype(kind)
    tensor = find_in_file(drawn | {"bn1.bias": expected})["bn1.bias"]
    np.testing.assert_array_equal(tensor, expected)
    assert tensor.dtype == kind


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
def test_other_than_finite_floats_are_refused(find_in_file, drawn, change, message):
    changed = change(torch.from_numpy(drawn["bn1.bias"])).contiguous()
    with pytest.raises(WeightsError, match=re.escape(f"got bn1.bias {message}")):
        find_in_file(drawn | {"bn1.bias": changed})


def test_what_is_no_file_of_this_backbone_is_refused(find, find_in_file, drawn, tmp_path):
    few = {name: tensor for name, tensor in drawn.items() if name != "bn1.bias"}
    with pytest.raises(WeightsError, match="got 244 tensors, expected 245; missing: .'bn1.bias'"):
        find_in_file(few)
    (tmp_path / "none.safetensors").write_bytes(b"none")
    with pytest.raises(WeightsError, match="none.safetensors', which cannot be read"):
        find(tmp_path / "none.safetensors")
