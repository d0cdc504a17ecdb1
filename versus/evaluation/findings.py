"""What evaluation can find, without what computes it: so words and tables of findings are at hand at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

EQUIVALENT, ONE_BETTER, OTHER_BETTER, UNDECIDED = "equivalent", "one better", "other better", "undecided"
BOTH, ONE, OTHER, NEITHER = "both", "one", "other", "neither"
SIGNIFICANT = 0.05
SMALLEST_P = 1e-4  # the resamples tell smaller ones apart no more
MOST_UNITS = 10_000_000  # that a sample size names


@dataclass(frozen=True)
class Completeness:
    """stage: the first one at which a corner differs from its native run, "" if none does. competitor: whose, 0 or 1.

    classes: how many predicted classes differ, in both corners; predictions: of how many.
    """

    stage: str
    competitor: int
    classes: int
    predictions: int

    @property
    def complete(self) -> bool:
        return not self.stage


@dataclass(frozen=True)
class Plan:
    """What shows a true `difference` in accuracy with a probability of 80 %.

    images, units: of the run, and how many of them are independent. images_needed: for each number of seeds, with as
    many images a unit as in the run; -1 where no number of images would. seeds_needed: with the images of the run, -1
    where no number of seeds would; None with one seed, which shows no variance between seeds.
    """

    difference: float
    images: int
    units: int
    seeds: int
    probability: float  # that a run like this one shows it
    images_needed: dict[int, int]
    seeds_needed: int | None


def by_size(shares: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return the shares of the conventions in one metric, the largest first."""
    conventions = shares[(shares.metric == metric) & (shares.kind == "convention")]
    return conventions.sort_values("share", key=abs, ascending=False, kind="stable")
