"""The backbones in PyTorch: the names, shapes and statistics that the Keras twin has to share."""

import hashlib

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from versus import backbone_torch, params, weights
from versus.weights import ARCHITECTURES

MODEL = params.load().model.model_copy(update={"image_size": 64, "weights": "random"})
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


def test_the_packages_tensors_are_those_of_imagenet(tensors):
    """Trained weights differ from random ones in what training leaves behind: variances far from one, say."""
    trained = backbone_torch.find_weights(MODEL.model_copy(update={"weights": "shared"}))
    assert trained.keys() == tensors.keys()
    variances = np.concatenate([tensor for name, tensor in trained.items() if name.endswith("running_var")])
    assert variances.min() >= 0 and variances.max() > 10


def test_a_safetensors_file_gives_the_same_features(tensors, tmp_path):
    save_file(tensors, tmp_path / "mine.safetensors")
    found = backbone_torch.find_weights(MODEL.model_copy(update={"weights": str(tmp_path / "mine.safetensors")}))
    one, other = (backbone_torch.build(MODEL, each, "frozen") for each in (tensors, found))
    with torch.inference_mode():
        np.testing.assert_array_equal(one(PIXELS), other(PIXELS))


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
