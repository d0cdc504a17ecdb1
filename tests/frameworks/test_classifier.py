"""The saved classifier: the same bytes each time, and its framework alone to read it."""

import subprocess
import sys
import zipfile

import numpy as np
import pytest

from tests.helpers.backbones import MODEL, distance
from tests.helpers.paths import ROOT
from versus.frameworks.prediction import predict_seeds
from versus.recipe import draws
from versus.recipe.weights import Pretrained

WIDTHS = [1280, 8, 3]
STATISTICS = {f"bn{i}.running_mean": np.linspace(0, 1, width, dtype="float32") for i, width in ((1, 32), (2, 1280))}
WEIGHTS = [[tuple(tensor.astype("float32") for tensor in layer)
            for layer in draws.initial_weights(seed, WIDTHS, "fan_in")] for seed in range(3)]
PIXELS = np.random.default_rng(0).uniform(0, 255, (3, 64, 64, 3)).astype("float32")


@pytest.fixture(scope="module", params=[1, 3])
def number(request):
    """How many heads are deployed: the first, or the mean of all."""
    return request.param


@pytest.fixture(scope="module")
def saved(own, tensors, tmp_path_factory, number):
    """Two folders into which it was saved, assembled anew for each, and the classifier itself."""
    folders = [tmp_path_factory.mktemp("saved") for _ in range(2)]
    for folder in folders:
        classifier = own.classifier.assemble(MODEL, Pretrained(tensors[MODEL.backbone]), STATISTICS, WEIGHTS[:number],
                                             WIDTHS)
        own.classifier.save(classifier, folder)
    return *folders, classifier


def test_the_same_bytes_again(adapter, saved):
    one, other, _ = saved
    assert {path.name for path in one.iterdir()} == {path.name for path in other.iterdir()} == adapter.SAVED
    for name in adapter.SAVED:
        assert (one / name).read_bytes() == (other / name).read_bytes(), name


def test_the_bytes_do_not_depend_on_where_the_repository_lies(saved):
    one, *_ = saved
    for path in one.iterdir():
        contents = [path.read_bytes()]
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                contents += [archive.read(name) for name in archive.namelist()]
        assert not any(str(ROOT).encode() in content for content in contents), path.name


def test_its_framework_alone_reads_it(adapter, saved, tmp_path):
    one, _, classifier = saved
    for name in adapter.SAVED:
        (tmp_path / name).write_bytes((one / name).read_bytes())
    np.save(tmp_path / "pixels.npy", PIXELS)
    subprocess.run([sys.executable, "-c", adapter.ALONE], cwd=tmp_path, check=True)
    expected = adapter.apply(classifier, PIXELS)
    read = np.load(tmp_path / "probabilities.npz")
    assert "whole" in read
    for name in read:
        np.testing.assert_allclose(read[name], expected, atol=1e-6)


def test_classifier_and_backbone_are_read_as_they_were_assembled(own, adapter, saved, number, lite0):
    """The running statistics that were handed over travel along."""
    one, _, assembled = saved
    classifier, backbone = own.classifier.load(one)
    expected = adapter.apply(assembled, PIXELS)
    np.testing.assert_allclose(adapter.apply(classifier, PIXELS), expected, atol=1e-6)
    alone = own.saved.load(one)
    for times in (1, 4):  # few images and many
        several = own.saved.probabilities(alone, np.tile(PIXELS, (times, 1, 1, 1)))
        np.testing.assert_allclose(several, np.tile(expected, (times, 1)), atol=1e-6)

    features = adapter.apply(backbone, PIXELS)
    head = own.head.Head(WIDTHS)
    probabilities = np.array(list(predict_seeds(head, WEIGHTS[:number], features)))
    np.testing.assert_allclose(probabilities.mean(axis=0), expected, atol=1e-6)
    assert np.abs(probabilities[0] - probabilities[-1]).max() > 1e-3 or number == 1

    before, stored = adapter.apply(lite0, PIXELS), own.backbone.statistics(lite0)
    own.backbone.set_statistics(lite0, STATISTICS)
    after = adapter.apply(lite0, PIXELS)
    own.backbone.set_statistics(lite0, stored)
    assert distance(features, after) < 1e-5 < 1e-3 < distance(features, before)
