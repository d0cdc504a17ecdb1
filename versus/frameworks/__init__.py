"""Whatever computes: a folder for each framework, the loops that are written once, and the table of competitors."""

from importlib import import_module
from types import ModuleType
from typing import NamedTuple

from versus.params import Framework


class Competitor(NamedTuple):
    """One of those that are compared. A convention belongs to a framework; what is compared is a competitor."""

    name: str             # of stages, files and metrics
    title: str            # in tables, plots and sentences
    framework: Framework  # whose defaults it has, whose folder it uses
    backend: str          # what computes: tensorflow | torch


COMPETITORS = {competitor.name: competitor for competitor in [
    Competitor("keras", "Keras", "keras", "tensorflow"),
    Competitor("torch", "PyTorch", "torch", "torch"),
]}


class CompetitorError(ValueError):
    """A name that is not in the table of competitors."""


def competitor(name: str) -> Competitor:
    """Look a competitor up by its name; raise CompetitorError if there is none."""
    if name not in COMPETITORS:
        raise CompetitorError(f"got the competitor {name!r}; expected one of {', '.join(COMPETITORS)}")
    return COMPETITORS[name]


def modules(name: str, *files: str) -> list[ModuleType]:
    """Import the files of a competitor's framework: `modules("torch", "runtime", "head")`.

    Only that framework is loaded: two of them in one process crash.
    """
    framework = competitor(name).framework
    return [import_module(f"versus.frameworks.{framework}.{file}") for file in files]
