"""One framework on a node of a cluster, the other end of `cluster`: an actor of Ray's."""

import hashlib
import platform
import socket
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from versus import frameworks, params
from versus.artifacts.features import Statistics
from versus.frameworks.packages import PACKAGES
from versus.recipe.pixels import ImageBatches

HERE = Path(__file__).parents[1]
FOR_PIXELS = ("numpy", "pillow", "scipy", "simplejpeg")


class ClusterError(ValueError):
    """A cluster that cannot be used: not there, too small, with other packages, or without the images."""


class Recipe(NamedTuple):
    """How a backbone is made: by a function of a file of the framework's, `backbone.build` or `classifier.load`."""

    file: str
    function: str
    arguments: tuple


@dataclass(frozen=True)
class Pass:
    """What all pieces of one call of `Cluster.apply` have in common.

    backbone: its number and a reference to its Recipe. statistics: batch norm's running ones, and a number that tells
    them from others; None where a pass does not depend on them. updating: whether they are updated by the batches.
    """

    backbone: tuple[int, Any]
    statistics: tuple[int, Any] | None
    training: bool
    updating: bool


Piece = tuple[np.ndarray, list[Statistics]]  # features (images, width); what each batch adds to the running statistics


class Worker:
    """Apply backbones to images; `get` resolves a reference. Python calls its methods one at a time."""

    def __init__(self, name: str, get: Callable[[Any], Any]):
        self.name, self.get = name, get
        self.backbones: dict[int, Any] = {}
        self.statistics: dict[int, int | None] = {}  # those that each backbone holds; None: neither of a pass

    def start(self, compute: params.Compute, precision: str, expected: dict[str, str]) -> None:
        """Load and set the framework; raise ClusterError if code or packages are not the `expected` ones."""
        own = environment(self.name)
        differing = [f"{what} {own[what]} instead of {value}" for what, value in expected.items() if own[what] != value]
        if differing:
            raise ClusterError(f"compute.cluster: node {socket.gethostname()} has {', '.join(differing)}; expected the "
                               "same on all nodes: install requirements.lock there, and restart Ray")
        runtime, self.own = frameworks.modules(self.name, "runtime", "features")
        runtime.start(compute, precision)

    def apply(self, of_pass: Pass, images: ImageBatches) -> Piece:
        """Compute the features of some batches, in their order; raise ClusterError if an image is not there."""
        missing = next((path for path in images.files if not path.is_file()), None)
        if missing:
            raise ClusterError(f"compute.cluster: node {socket.gethostname()} has no file {missing}; expected the "
                               "project's folder on storage that all nodes share, at the same path: docs/cluster.md")
        maker, backbone = self._backbone(of_pass)
        after_each = _AfterEachBatch(maker, backbone, of_pass.updating)
        return self.own.apply(backbone, images, of_pass.training, after_each), after_each.added

    def _backbone(self, of_pass: Pass) -> tuple[Any, Any]:
        """Return the module that made the backbone of a pass, and the backbone with the running statistics it needs."""
        number, reference = of_pass.backbone
        recipe = self.get(reference)
        (maker,) = frameworks.modules(self.name, recipe.file)
        if number not in self.backbones:
            made = getattr(maker, recipe.function)(*recipe.arguments)
            self.backbones[number] = made[-1] if isinstance(made, tuple) else made  # `load` returns the classifier, too
        backbone = self.backbones[number]
        if of_pass.updating:
            self.statistics[number] = None
        elif of_pass.statistics and self.statistics.get(number) != of_pass.statistics[0]:
            maker.set_statistics(backbone, self.get(of_pass.statistics[1]))
            self.statistics[number] = of_pass.statistics[0]
        return maker, backbone


class _AfterEachBatch:
    """Stand in for a progress bar, which is updated after each batch: read what the batch adds to running statistics.

    They start from zero, so that afterwards they hold just that, to the last bit.
    """

    def __init__(self, maker: Any, backbone: Any, updating: bool):
        self.maker, self.backbone, self.updating = maker, backbone, updating
        self.added: list[Statistics] = []
        if updating:
            self.zero = {name: np.zeros_like(tensor) for name, tensor in maker.statistics(backbone).items()}
            maker.set_statistics(backbone, self.zero)

    def update(self, images: int) -> None:
        """Note a batch of `images`."""
        if self.updating:
            self.added.append(self.maker.statistics(self.backbone))
            self.maker.set_statistics(self.backbone, self.zero)


def environment(name: str) -> dict[str, str]:
    """Return what the bytes of features depend on in one process: processor, code of this project and packages."""
    code = hashlib.sha256(b"\0".join(path.read_bytes() for path in sorted(HERE.rglob("*.py")))).hexdigest()[:12]
    packages = (*FOR_PIXELS, *PACKAGES[frameworks.competitor(name).framework])
    return {"processors of the kind": platform.machine(), "code": code} | {each: _version(each) for each in packages}


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
