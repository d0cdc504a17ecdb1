"""The competitor under test, and what its contract tests share. Only its framework is loaded."""

import os
from importlib import import_module
from types import SimpleNamespace
from urllib.error import URLError

import pytest

from tests.helpers.backbones import MODEL, MODELS
from tests.helpers.processes import PATIENT
from versus import params
from versus.frameworks import COMPETITORS, modules
from versus.recipe import weights
from versus.recipe.weights import Pretrained

os.environ.update(PATIENT)  # before a framework is loaded
collect_ignore_glob = ["adapters_*.py"]  # which --doctest-modules would import, those of other frameworks too
MODULES = ("runtime", "backbone", "networks", "pretrained", "features", "head", "classifier", "saved")
COMPUTE = params.load().compute


@pytest.fixture(scope="session")
def own(request):
    """The competitor: its name, framework and modules, started as the stages start it."""
    competitor = COMPETITORS[request.config.getoption("--competitor")]
    files = dict(zip(MODULES, modules(competitor.name, *MODULES), strict=True))
    files["runtime"].start(COMPUTE, "float32")
    return SimpleNamespace(name=competitor.name, framework=competitor.framework, **files)


@pytest.fixture(scope="session")
def adapter(own):
    """The framework called with numpy arrays: the module adapters_<framework>."""
    return import_module(f"tests.frameworks.adapters_{own.framework}")


@pytest.fixture(params=["float32", "float64"])
def precision(own, request):
    """Each precision in turn; it is set while the test runs."""
    own.runtime.start(COMPUTE, request.param)
    yield request.param
    own.runtime.start(COMPUTE, "float32")


@pytest.fixture(scope="session")
def shapes(own):
    """The shape of each tensor of each backbone by PyTorch's name."""
    return {name: own.backbone.shapes(own.backbone.network(name, model.image_size)) for name, model in MODELS.items()}


@pytest.fixture(scope="session")
def tensors(shapes):
    """Random tensors of each backbone."""
    return {name: weights.draw(of_backbone) for name, of_backbone in shapes.items()}


@pytest.fixture(scope="session")
def build(own, tensors):
    """Build Lite0 with the random tensors: `build(batch_norm)`."""
    return lambda batch_norm: own.backbone.build(MODEL, Pretrained(tensors[MODEL.backbone]), batch_norm)


@pytest.fixture(scope="session")
def lite0(build):
    """Lite0 as it is saved, for tests that leave it as it was."""
    return build("saved")


@pytest.fixture
def cache(adapter, tmp_path, monkeypatch):
    """The path where the framework looks for its ImageNet weights of ResNet-50: no file is there."""
    path = adapter.cache_of_imagenet(tmp_path, monkeypatch)
    path.parent.mkdir(parents=True)
    return path


@pytest.fixture
def no_network(monkeypatch):
    """Refuse every connection."""
    def refuse(*arguments, **keywords):
        raise URLError("no network")

    monkeypatch.setattr("urllib.request.OpenerDirector.open", refuse)
