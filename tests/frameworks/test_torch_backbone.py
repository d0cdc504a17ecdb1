"""The backbones in PyTorch are timm's and torchvision's, and frozen ones are built in evaluation mode."""

import copy
import subprocess
import sys

import numpy as np
import pytest
import timm
import torch
import torchvision

from tests.frameworks import adapters_torch
from tests.helpers.backbones import PIXELS, distance
from versus.frameworks.torch import backbone as backbones
from versus.recipe.architectures import ARCHITECTURES


def test_lite0_is_timms_under_its_own_normalisation(lite0, tensors):
    network = timm.create_model("tf_efficientnet_lite0", num_classes=0)
    state = {name: torch.from_numpy(tensor) for name, tensor in tensors["efficientnet_lite0"].items()}
    network.load_state_dict(state, strict=False)
    expected = adapters_torch.apply(network, (PIXELS - 127) / 128)
    np.testing.assert_array_equal(adapters_torch.apply(lite0, PIXELS), expected)


def test_resnet50_constants_are_those_of_torchvisions_weights():
    preset = torchvision.models.ResNet50_Weights.IMAGENET1K_V1.transforms()
    np.testing.assert_allclose(ARCHITECTURES["resnet50"].mean, np.array(preset.mean) * 255)
    np.testing.assert_allclose(np.sqrt(ARCHITECTURES["resnet50"].variance), np.array(preset.std) * 255)


@torch.inference_mode()
@pytest.mark.parametrize("size", [32, 33, 47, 65, 96, 127])
def test_mirrored_images_under_mirrored_kernels_give_the_same_features(lite0, size):
    """With maps of odd and even sides, on which SAME padding differs."""
    mirrored = copy.deepcopy(lite0)
    mirrored.mirror()
    pixels = torch.from_numpy(np.random.default_rng(size).uniform(0, 255, (2, 3, size, size + 6)).astype(np.float32))
    pixels[:, :, size // 2:] = 0
    expected = lite0(pixels).numpy()
    assert distance(mirrored(pixels).numpy(), expected) < 1e-5
    mirrored.mirrored = False
    assert distance(mirrored(pixels).numpy(), expected) > 1e-4


@torch.inference_mode()
def test_batch_norm_is_chosen_by_the_mode_that_a_backbone_is_built_in(build, tensors):
    """Called as it was built: one that stores those of the batch updates all, the others leave them alone."""
    for batch_norm in ("saved", "batch", "batch_not_stored"):
        backbone = build(batch_norm)
        backbone(adapters_torch.tensor(PIXELS))
        unchanged = [np.array_equal(values, tensors["efficientnet_lite0"][name])
                     for name, values in backbones.statistics(backbone).items()]
        assert all(unchanged) if batch_norm != "batch" else not any(unchanged)


@torch.inference_mode()
def test_batch_statistics_are_precise_in_the_fast_layout(build, tensors):
    """Of 32 images of 112 pixels; PyTorch's own layer is not."""
    pixels = torch.from_numpy(np.random.default_rng(0).uniform(0, 255, (32, 3, 112, 112)).astype(np.float32))
    fast = pixels.contiguous(memory_format=torch.channels_last)
    theirs = backbones.network("efficientnet_lite0", 112).train()
    backbones.copy_weights(theirs, tensors["efficientnet_lite0"])
    ours, theirs_fast = build("batch_not_stored")(fast), copy.deepcopy(theirs)(fast)
    expected = theirs.double()(pixels.double()).numpy()
    assert distance(ours.numpy(), expected) < 1e-5 < distance(theirs_fast.numpy(), expected)


@pytest.mark.parametrize("shape", [(27, 96, 57, 57), (1, 8, 1, 2), (3, 40, 5, 7), (31, 5000, 1, 1)])
def test_statistics_put_together_are_those_of_each_channel(shape):
    """However the pixels can be divided, and where means are thirty deviations from zero."""
    x = np.random.default_rng(0).normal(3, 0.1, shape).astype(np.float32)
    x[:, ::2] -= 3
    means, variances = backbones._of_each_channel(torch.from_numpy(x), torch.float32)
    np.testing.assert_allclose(means, x.mean((0, 2, 3), dtype=float), rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(variances, x.var((0, 2, 3), dtype=float), rtol=3e-6)


def test_statistics_of_bfloat16_are_precise():
    """Summed in float32: in bfloat16 they would be a thousandth off."""
    x = torch.from_numpy(np.random.default_rng(0).normal(3, 1, (8, 96, 56, 56))).to(torch.bfloat16)
    means, variances = backbones._of_each_channel(x, torch.float32)
    assert means.dtype == variances.dtype == torch.float32
    np.testing.assert_allclose(means, x.double().mean((0, 2, 3)), rtol=1e-6)
    np.testing.assert_allclose(variances, x.double().var((0, 2, 3), unbiased=False), rtol=3e-6)


def test_large_arrays_stay_with_the_process():
    """Each call would otherwise ask the system for cleared pages: after a few, which find room, none asks for many."""
    code = ("import resource, torch\nfrom versus import params\nfrom versus.frameworks.torch import runtime\n"
            "runtime.start(params.Compute(threads=1), 'float32')\ncounts = []\nfor _ in range(20):\n"
            "    torch.ones(2**24).add_(1)\n    counts.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)\n"
            "assert counts[-1] - counts[-2] < 1000, counts")
    subprocess.run([sys.executable, "-c", code], check=True)
