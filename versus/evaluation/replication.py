"""Does one set of training runs replicate another? Means and spreads of independent runs, for the same images.

The runs of the two sets are not paired: seed 0 of the one has nothing in common with seed 0 of the other.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri
from scipy.stats import trim_mean

from versus import params
from versus.artifacts.predictions import Predictions
from versus.evaluation.comparison import EQUIVALENT, UNDECIDED, verdict
from versus.evaluation.intervals import Estimate, VarianceComponents, by_unit, studentised, variance_components

STRAYS = "strays"


@dataclass(frozen=True)
class Spread:
    """The standard deviation between the other's runs divided by that between the one's, with its 95 % interval."""

    ratio: float
    low: float
    high: float

    @property
    def differs(self) -> bool:
        return self.low > 1 or self.high < 1


@dataclass(frozen=True)
class Replication:
    """One metric of two sets of runs: each run's value, the difference of the means, and the ratio of the spreads."""

    one: np.ndarray       # (runs,)
    other: np.ndarray     # (other's runs,)
    difference: Estimate  # other minus one
    verdict: str          # equivalent | strays | undecided
    spread: Spread


def replicate(one: Predictions, other: Predictions, margins: dict[str, float],
              settings: params.Compare) -> dict[str, Replication]:
    """Compare two sets of runs for the same images, by metric: accuracy and log_loss, with a margin for each.

    Raises ValueError if files or classes differ, or if either has less than two runs.
    """
    if any(getattr(one, field) != getattr(other, field) for field in ("files", "class_names")):
        raise ValueError("got predictions for other files or classes; expected the same images in both: run both "
                         "on the same folder, the pipeline's data/split")
    return {
        "accuracy": _replication(one.correct.astype(float), other.correct.astype(float), margins["accuracy"], settings,
                                 one.units, bound=1.0),
        "log_loss": _replication(one.log_losses, other.log_losses, margins["log_loss"], settings, one.units),
    }


def _replication(one: np.ndarray, other: np.ndarray, margin: float, settings: params.Compare, units: np.ndarray,
                 bound: float | None = None) -> Replication:
    """Compare (runs, images) values of one metric."""
    difference = estimate_unpaired(one, other, settings, units, bound)
    decision = verdict(difference.interval(), difference.equivalence_interval, margin)
    by_run, other_by_run = one.mean(axis=1), other.mean(axis=1)
    return Replication(by_run, other_by_run, difference, decision if decision in (EQUIVALENT, UNDECIDED) else STRAYS,
                       spread(by_run, other_by_run))


def estimate_unpaired(one: np.ndarray, other: np.ndarray, settings: params.Compare, units: np.ndarray,
                      bound: float | None = None) -> Estimate:
    """Estimate the mean of other minus one, (runs, images) values each.

    `units` are those of the images, as in `by_unit`; `bound` is the greatest absolute difference that an image can
    have, None if there is none.
    """
    one, other = by_unit(one, units), by_unit(other, units)
    of_units = (other.mean(axis=0) - one.mean(axis=0))[None]
    bounds = None if bound is None else by_unit(np.full((1, len(units)), bound), units)[0]
    variances = _unpaired_components(one, other, variance_components(of_units, bounds))
    t_values = np.sort(studentised(of_units, settings.bootstrap, np.random.default_rng(settings.seed)))
    return Estimate(variances, t_values)


def _unpaired_components(one: np.ndarray, other: np.ndarray, of_images: VarianceComponents) -> VarianceComponents:
    """Add the variance of the runs' means to that of the images.

    It is the sum of each set's variance between runs / runs; Welch (1947), Biometrika 34, has its degrees of freedom,
    which are put as a number of seeds, one more, rounded down.
    """
    runs = np.array([len(one), len(other)])
    if runs.min() < 2:
        raise ValueError(f"got {runs[0]} and {runs[1]} training runs; expected 2 or more of each: one run shows no "
                         "variance between runs")
    shares = np.array([variance_components(values).seed for values in (one, other)]) / runs
    total = shares.sum()
    degrees = total ** 2 / (shares ** 2 / (runs - 1)).sum() if total else runs.min() - 1
    seeds = int(degrees) + 1
    return replace(of_images, seed=float(total * seeds), seeds=seeds)


def spread(one: np.ndarray, other: np.ndarray) -> Spread:
    """Compare the standard deviations of two samples, by an interval that is robust against skewness.

    Bonett (2006), Computational Statistics & Data Analysis 50: log(c ratio^2) ± z sqrt(sum (kurtosis - k)/(n - 1));
    c and k = (n - 3)/n correct for small samples and the kurtosis is pooled, about trimmed means. The F test takes 10 %
    instead of 5 % of such accuracies, which pile up near 1, for different. Samples of less than four values, or without
    any variance, tell nothing.
    """
    samples, sizes = (one, other), np.array([len(one), len(other)])
    variances = np.array([sample.var(ddof=1) for sample in samples])
    if sizes.min() < 4 or variances.min() == 0:
        return Spread(float("nan"), 0.0, float("inf"))
    z = ndtri(0.975)
    centres = [trim_mean(sample, 0.5 / np.sqrt(max(len(sample) - 4, 1.1))) for sample in samples]
    fourth = sum(((sample - centre) ** 4).sum() for sample, centre in zip(samples, centres))
    kurtosis = sizes.sum() * fourth / ((sizes - 1) @ variances) ** 2
    width = z * np.sqrt(((kurtosis - (sizes - 3) / sizes) / (sizes - 1)).sum())
    centre = np.log(variances[1] / variances[0]) + np.log((1 - z / sizes[0]) / (1 - z / sizes[1]))
    return Spread(float(np.sqrt(variances[1] / variances[0])), float(np.exp((centre - width) / 2)),
                  float(np.exp((centre + width) / 2)))
