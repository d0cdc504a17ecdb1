"""Whatever computes: a folder for each framework, the loops that are written once, and the table of competitors."""

from importlib import import_module
from types import ModuleType
from typing import NamedTuple

from versus.params import Conventions, Era, Framework
from versus.recipe.conventions import TABLE, Default, FeatureConventions, Resolved, default, resolve, resolve_features


class Competitor(NamedTuple):
    """One of those that are compared. A convention belongs to a framework; what is compared is a competitor."""

    name: str             # of stages, files and metrics
    title: str            # in tables, plots and sentences
    framework: Framework  # whose defaults it has, whose folder it uses
    backend: str          # what computes: tensorflow | torch
    era: Era | None       # of its defaults; None: the one that params.yaml names

    def of_era(self, era: Era) -> "Competitor":
        """Return it with the defaults of `era`, if it has none of its own."""
        return self if self.era else self._replace(era=era)

    def own_default(self, name: str) -> Default:
        """Return its framework's default in convention `name`; today's, if it has no era."""
        return TABLE[name][self.framework][self.era or "today"]

    def default(self, conventions: Conventions, name: str) -> Default:
        """Return the default that it follows in convention `name` under the params section."""
        return default(conventions.of_era(self.era), name, self.framework)

    def resolve(self, conventions: Conventions) -> Resolved:
        """Resolve the params section to the values that it follows."""
        return resolve(conventions.of_era(self.era), self.framework)

    def resolve_features(self, conventions: Conventions) -> FeatureConventions:
        """Resolve only the conventions that features depend on, so that no other key is read."""
        return resolve_features(conventions.of_era(self.era), self.framework)


COMPETITORS = {competitor.name: competitor for competitor in [
    Competitor("keras", "Keras", "keras", "tensorflow", None),
    Competitor("torch", "PyTorch", "torch", "torch", None),
    Competitor("keras_2018", "Keras 2018", "keras", "tensorflow", 2018),
    Competitor("keras_today", "Keras today", "keras", "tensorflow", "today"),
    Competitor("torch_2018", "PyTorch 2018", "torch", "torch", 2018),
    Competitor("torch_today", "PyTorch today", "torch", "torch", "today"),
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
