"""What each framework takes on the disk: its installed packages with all that they need, and a saved classifier."""

import importlib.metadata
from pathlib import Path

from packaging.requirements import Requirement

from versus.frameworks.packages import PACKAGES

OF_GPUS = ("nvidia-", "triton", "cuda-")  # packages that only a GPU uses
CLASSIFIERS = {"keras": "keras/classifier.keras", "torch": "torch/classifier.pt2"}
MIB = 2**20


def packages(contestant: str) -> set[str]:
    """Name the packages of a contestant and all that these need, as far as they are installed."""
    names, queue = set(), list(PACKAGES.get(contestant, (contestant,)))
    while queue:
        name = _normal(queue.pop())
        try:
            requires = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        if name not in names:
            names.add(name)
            needed = map(Requirement, requires)
            queue += [each.name for each in needed if not each.marker or each.marker.evaluate({"extra": ""})]
    return names


def installed(contestant: str, with_gpus: bool) -> float:
    """Return the size of a contestant's packages in MiB, with or without those that only a GPU uses."""
    names = [name for name in packages(contestant) if with_gpus or not name.startswith(OF_GPUS)]
    files = {file.locate() for name in names for file in importlib.metadata.files(name) or []}
    return sum(Path(file).stat().st_size for file in files if Path(file).is_file()) / MIB


def classifier(framework: str, models: Path) -> float:
    """Return the size of a saved classifier in MiB."""
    return (models / CLASSIFIERS[framework]).stat().st_size / MIB


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
