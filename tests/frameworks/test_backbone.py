"""The backbones: the same names and shapes in every framework, batch norm against closed forms."""

import numpy as np
import pytest

from tests.helpers.backbones import MODELS, PIXELS, TENSORS, digest, distance, mean_and_variance, normalise, updated
from versus.recipe import weights
from versus.recipe.architectures import ARCHITECTURES
from versus.recipe.weights import Pretrained, WeightsError

LITE0 = ARCHITECTURES["efficientnet_lite0"]
KINDS = ("saved", "frozen", "batch", "batch_not_stored")  # of batch norm


@pytest.fixture
def drawn(tensors):
    """The random tensors of Lite0."""
    return tensors["efficientnet_lite0"]


@pytest.fixture(scope="session")
def features(adapter, lite0):
    """The features of PIXELS."""
    return adapter.apply(lite0, PIXELS)


# names, shapes and constants

@pytest.mark.parametrize("name", TENSORS)
def test_all_frameworks_have_the_same_names_and_shapes(shapes, name):
    assert digest(shapes[name]) == TENSORS[name]


def test_unknown_missing_and_misshapen_tensors_are_named_and_none_is_copied(own, adapter, lite0, drawn, features):
    other = {name: tensor + 1 for name, tensor in drawn.items()}
    few = {name: tensor for name, tensor in other.items() if name != "bn1.bias"}
    turned = drawn["conv_stem.weight"].transpose(1, 0, 2, 3)
    for wrong, message in ((few | {"bn1.bais": drawn["bn1.bias"]}, "missing: .'bn1.bias'., unknown: .'bn1.bais'."),
                           (other | {"conv_stem.weight": turned}, r"conv_stem.weight of shape \(3, 32, 3, 3\)"),
                           ({}, "got 0 tensors, expected 245")):
        with pytest.raises(WeightsError, match=message):
            own.backbone.copy_weights(lite0, wrong)
    np.testing.assert_array_equal(adapter.apply(lite0, PIXELS), features)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_batch_norm_has_the_constants_of_the_architecture(own, adapter, name):
    for batch_norm in KINDS:
        layers = adapter.batch_norms(own.backbone.network(name, 64, batch_norm))
        constants = np.array([adapter.epsilon_and_momentum(layer) for layer in layers])
        momentum = 0 if batch_norm == "batch_not_stored" else ARCHITECTURES[name].momentum
        expected = ARCHITECTURES[name].epsilon, momentum
        np.testing.assert_allclose(constants, np.tile(expected, (len(layers), 1)), rtol=1e-12)


@pytest.mark.parametrize("epsilon", [1e-5, 1e-2])
def test_another_epsilon_would_be_seen(adapter, lite0, features, epsilon):
    layers = adapter.batch_norms(lite0)
    try:
        for layer in layers:
            adapter.set_epsilon(layer, epsilon)
        assert distance(adapter.apply(lite0, PIXELS), features) > 1e-3  # a hundred times the bound of parity
    finally:
        for layer in layers:
            adapter.set_epsilon(layer, LITE0.epsilon)


def test_random_weights_are_drawn_alike_and_within_reason(own, adapter, shapes, tensors):
    drawn, again = tensors["resnet50"], weights.draw(shapes["resnet50"])
    for name, shape in shapes["resnet50"].items():
        np.testing.assert_array_equal(drawn[name], again[name])
        assert drawn[name].shape == shape
    kernel = drawn["layer3.0.conv2.weight"]
    assert kernel.std() == pytest.approx(np.sqrt(2 / np.prod(kernel.shape[1:])), rel=0.01)  # He et al. 2015
    features = adapter.apply(own.backbone.build(MODELS["resnet50"], Pretrained(drawn), "frozen"), PIXELS)
    assert features.shape == (4, ARCHITECTURES["resnet50"].width) and np.isfinite(features).all()
    assert 0.01 < features.std(0).mean() / features.mean() < 1  # images differ, sums do not explode


# batch norm

@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("batch_norm", ["saved", "batch", "batch_not_stored"])
def test_batch_norm_uses_what_is_stored_or_the_batch(adapter, build, drawn, batch_norm, training):
    """The first layer's output is normalised in numpy; of the batch by the biased variance."""
    training = training and "batch" in batch_norm  # in which mode others stay is the extraction's business
    x, y = adapter.around_first_batch_norm(build(batch_norm), PIXELS, training)
    stored = drawn["bn1.running_mean"], drawn["bn1.running_var"]
    statistics = mean_and_variance(x) if training else stored
    expected = normalise(x, *statistics, drawn["bn1.weight"], drawn["bn1.bias"], LITE0.epsilon).clip(0, 6)
    np.testing.assert_allclose(y, expected, atol=1e-4)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_frozen_batch_norm_is_the_saved_one_but_faster(own, adapter, tensors, name):
    """Up to rounding, in inference and where a frozen one is called in training mode by mistake."""
    saved, frozen = (own.backbone.build(MODELS[name], Pretrained(tensors[name]), kind) for kind in ("saved", "frozen"))
    expected = adapter.apply(saved, PIXELS)
    for training in (False, True):
        assert distance(adapter.apply(frozen, PIXELS, training), expected) < 1e-5


def test_negative_variances_are_refused(own, lite0, drawn):
    """Their roots are not numbers, which TensorFlow's relu6 turns into zeros."""
    negative = drawn | {"bn2.running_var": -drawn["bn2.running_var"]}
    with pytest.raises(WeightsError, match="bn2.running_var with 1280 of 1280 variances below zero"):
        own.backbone.copy_weights(lite0, negative)


def test_running_statistics_are_updated_by_the_unbiased_variance(own, adapter, build, drawn):
    backbone = build("batch")
    x, _ = adapter.around_first_batch_norm(backbone, PIXELS, True)
    statistics = own.backbone.statistics(backbone)
    mean, biased = mean_and_variance(x)
    _, unbiased = mean_and_variance(x, ddof=1)
    np.testing.assert_allclose(statistics["bn1.running_mean"], updated(drawn["bn1.running_mean"], mean),
                               rtol=1e-5, atol=1e-6)
    biased, unbiased = (updated(drawn["bn1.running_var"], variance) for variance in (biased, unbiased))
    np.testing.assert_allclose(statistics["bn1.running_var"], unbiased, rtol=2e-6)
    assert np.abs(biased / unbiased - 1).max() > 2e-5  # which the bound above would not let pass


def test_statistics_of_the_batch_that_are_not_stored_leave_the_stored_ones_as_they_are(own, adapter, build, drawn):
    backbone = build("batch_not_stored")
    before = adapter.apply(backbone, PIXELS)
    adapter.apply(backbone, PIXELS, training=True)
    for name, values in own.backbone.statistics(backbone).items():
        np.testing.assert_array_equal(values, drawn[name])
    np.testing.assert_array_equal(adapter.apply(backbone, PIXELS), before)


@pytest.mark.parametrize("batch_norm", KINDS)
def test_inference_never_changes_the_statistics(own, adapter, build, drawn, batch_norm):
    backbone = build(batch_norm)
    adapter.apply(backbone, PIXELS)
    for name, values in own.backbone.statistics(backbone).items():
        np.testing.assert_array_equal(values, drawn[name])


def test_statistics_are_copies_that_can_be_set_and_set_back(own, adapter, build, lite0, drawn, features):
    training = build("batch")
    stored = own.backbone.statistics(training)
    adapter.apply(training, PIXELS, training=True)
    after = own.backbone.statistics(training)
    assert after.keys() == stored.keys() == {name for name in drawn if name.endswith(("running_mean", "running_var"))}
    for name in after:
        np.testing.assert_array_equal(stored[name], drawn[name])
        assert not np.array_equal(after[name], stored[name])
    changed = adapter.apply(training, PIXELS)
    try:
        own.backbone.set_statistics(lite0, after)
        assert distance(adapter.apply(lite0, PIXELS), changed) < 1e-5
    finally:
        own.backbone.set_statistics(lite0, stored)
    assert distance(changed, features) > 1e-2
    np.testing.assert_array_equal(adapter.apply(lite0, PIXELS), features)
