"""The confidence interval of a mean difference over new images and new training runs.

Model: D[s, u] = mu + a[u] + b[s] + e[s, u], the difference for seed s and unit u; units and seeds are both samples of
larger populations. A unit is an image, or a group of images that are no independent evidence: near-duplicates, images
of one patient or video. Differences are summed by unit before anything else (see `by_unit`).
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import betainc, ndtri, stdtrit

from versus import params
from versus.evaluation.findings import SMALLEST_P

TValues = np.ndarray | tuple[float, ...]
CHUNK = 4_000_000  # resampled units held in memory at a time


@dataclass(frozen=True)
class Bounds:
    """What is known of differences that are bounded, as those between right (1) and wrong (0) are.

    Few discordant units must not look like certainty: the first three reckon with one more of them, the last three
    hold the exact sign test of those that there are, which with one seed is McNemar's.
    """

    largest: float      # the greatest possible mean difference: 1 for accuracy
    consistency: float  # how consistently a unit differs across seeds: 1 in all, 1/seeds in one; scaled by their sizes
    slope_below: float  # growth of the units' variance for a true mean below the estimate, 0 or more
    slope_above: float  # the same for a true mean above it
    discordance: float  # mean absolute difference of a unit
    positive: float     # effective number of units that differ in favour of the other, and of the one
    negative: float
    exactness: float    # 1 if a unit differs alike in all seeds, so that those are whole numbers; down to 1/2
    mcnemar: bool       # whether the sign test is McNemar's exact test: with one seed, all units of one size


@dataclass(frozen=True)
class VarianceComponents:
    """The variance components of (seeds, units) differences, and their mean."""

    mean: float
    image: float  # variance of a[u], unbiased and so possibly below 0; with one seed that of the differences
    seed: float   # variance of b[s], 0 or more; 0 with one seed, which tells nothing about others
    noise: float  # variance of e[s, u]; 0 with one seed, where it is part of `image`
    units: int
    seeds: int
    bounds: Bounds | None = None  # None if the differences are unbounded
    # further variances of the mean, each with its degrees of freedom, such as of other training sets: see `splits`
    of_runs: tuple[tuple[float, int], ...] = ()

    def of_units(self, seeds: int) -> float:
        """Return the variance of a unit's mean over `seeds` seeds."""
        return np.maximum(self.image + self.noise / seeds, 0.0)

    @property
    def share_of_units(self) -> float:
        """The share of the mean's variance that the units make, 0..1; more seeds would reduce the rest alone."""
        of_units, total = max(self.image, 0.0) / self.units, self.of_units(self.seeds) / self.units
        total += self.seed / self.seeds
        return float(of_units / total) if total else 1.0


def by_unit(values: np.ndarray, units: np.ndarray) -> np.ndarray:
    """Sum (rows, images) values by unit, scaled so that their mean is that of the images: (rows, units).

    units: the unit of each image, (images,) int, each of 0 to the greatest at least once.

    >>> by_unit(np.array([[1.0, 1.0, 0.0, 0.0]]), np.array([0, 0, 1, 2]))
    array([[1.5, 0. , 0. ]])
    """
    number = int(units.max()) + 1
    if number == len(units):
        return values[:, np.argsort(units)]
    sums = [np.bincount(units, weights=row, minlength=number) for row in values]
    return np.array(sums) * (number / len(units))


def variance_components(differences: np.ndarray, bounds: np.ndarray | None = None) -> VarianceComponents:
    """Estimate the variance components of (seeds, units) differences by analysis of variance.

    image + noise/seeds = variance of the units' means; seed = variance of the seeds' means - noise/units, at least 0;
    noise = mean square of D - means of units - means of seeds + mean. Searle, Casella & McCulloch (1992), Variance
    Components, chapter 4. `bounds`: the greatest absolute difference that each unit can have, (units,); None if there
    is none.

    >>> variances = variance_components(np.array([[0.0, 2.0, 4.0], [2.0, 4.0, 6.0]]))
    >>> variances.mean, variances.image, variances.seed, variances.noise
    (3.0, 4.0, 2.0, 0.0)
    """
    seeds, units = differences.shape
    if units < 2:
        raise ValueError(f"got {units} independent validation image; expected at least 2: add validation images")
    of_units, of_seeds, mean = differences.mean(axis=0), differences.mean(axis=1), differences.mean()
    noise = seed = 0.0
    if seeds > 1:
        residuals = differences - of_units - of_seeds[:, None] + mean
        noise = (residuals ** 2).sum() / ((units - 1) * (seeds - 1))
        seed = max(of_seeds.var(ddof=1) - noise / units, 0.0)
    image = of_units.var(ddof=1) - noise / seeds
    return VarianceComponents(float(mean), float(image), float(seed), float(noise), units, seeds,
                              None if bounds is None else _bounds(differences, bounds))


def _bounds(differences: np.ndarray, bounds: np.ndarray) -> Bounds:
    """Summarise (seeds, units) differences within ± `bounds`, (units,)."""
    of_units = differences.mean(axis=0)
    absolute, square, cube = (float((np.abs(of_units) ** power).sum()) for power in (1, 2, 3))
    cube = float((of_units ** 3).sum())
    first, second, third = (float((bounds ** power).mean()) for power in (1, 2, 3))
    in_each_seed = float(np.abs(differences).mean(axis=0).sum())
    # add one unit that differs in every seed, by as much as it can
    consistency = (square + second) / (in_each_seed + first)
    below, above = (max(third / 2 + sign * cube, 0.0) / (square + second / 2) for sign in (-1, 1))
    # as many units of equal size as have the same sums of absolute differences and of squares
    scale = absolute / square if square else 0.0
    positive, negative = (scale * float(np.maximum(sign * of_units, 0).sum()) for sign in (1, -1))
    return Bounds(first, consistency, below, above, absolute / len(of_units), positive, negative,
                  (1 + absolute / in_each_seed) / 2 if in_each_seed else 1.0,
                  len(differences) == 1 and float(np.ptp(bounds)) < 1e-12)


def studentised(differences: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Resample the units of (seeds, units) differences: t = (mean - mean*) / se* of each resample, (resamples,).

    The bootstrap-t of Efron & Tibshirani (1993), An Introduction to the Bootstrap, section 12.5.
    """
    centred = differences.mean(axis=0) - differences.mean()
    units = len(centred)
    variance = centred.var(ddof=1) / units
    if variance == 0:
        return np.zeros(resamples)
    values_of_t = []
    for start in range(0, resamples, max(CHUNK // units, 1)):
        rows = min(max(CHUNK // units, 1), resamples - start)
        values = centred[rng.integers(0, units, (rows, units))]  # (resamples, units)
        means = values.mean(axis=1)
        variances = (np.einsum("ru,ru->r", values, values) / units - means ** 2) / (units - 1)
        # a resample with hardly any discordant unit has hardly any variance
        values_of_t.append(-means / np.sqrt(np.maximum(variances, variance / 4)))
    return np.concatenate(values_of_t)


def interval(variances: VarianceComponents, level: float, t_values: TValues = (0.0,)) -> tuple[float, float]:
    """Return (low, high), the confidence interval of the mean difference over new images and new seeds.

    Each half-width combines those of units and seeds by MOVER (Zou & Donner 2008, Statistics in Medicine 27):
    half_width^2 = q^2 (image + noise/seeds)/units + t[seeds-1]^2 seed/seeds, where q is the longer of Student's
    t[units-1] and the quantile of `t_values` (see `studentised`), which reflects the skewness. Seeds are not
    resampled: three or ten values do not show a distribution's shape, and resampling them makes the interval too
    narrow. With one seed it is the interval for these two trained classifiers. Bounded differences have two more
    limits, and the widest one counts: every mean mu that the units cannot exclude, even if none is discordant (Wilson
    1927), (mean - mu)^2 <= z^2 consistency |mu|(1 - |mu|)/units + the part of the seeds; and what the exact sign test
    of the discordant units leaves (Clopper & Pearson 1934), so that 4 against 0 are no difference. The sign test is
    exact for whole numbers and tends to the mid-p test the more the seeds differ. With one seed it is McNemar's, and
    says alone whether 0 is excluded.

    >>> nothing_differs = variance_components(np.zeros((1, 200)), np.ones(200))
    >>> low, high = interval(nothing_differs, 0.95)
    >>> round(low, 4), round(high, 4)
    (-0.0188, 0.0188)
    """
    tail = (1 + level) / 2
    student = stdtrit(variances.units - 1, tail)
    of_seeds = 0.0
    if variances.seeds > 1:
        of_seeds = stdtrit(variances.seeds - 1, tail) ** 2 * variances.seed / variances.seeds
    of_seeds += sum(stdtrit(freedom, tail) ** 2 * variance for variance, freedom in variances.of_runs)
    below, above = -np.quantile(t_values, 1 - tail), np.quantile(t_values, tail)
    limits = []
    for sign, quantile in ((-1, max(student, below)), (1, max(student, above))):
        half_width = np.sqrt(quantile ** 2 * variances.of_units(variances.seeds) / variances.units + of_seeds)
        limit = sign * variances.mean + half_width
        if variances.bounds:
            wilson = _wilson_limit(sign * variances.mean, of_seeds, variances, ndtri(tail))
            exact = _exact_limit(sign, of_seeds, variances, tail)
            limit = min(max(limit, wilson, exact), variances.bounds.largest)
            if variances.bounds.mcnemar and exact < 0 <= limit:
                limit = exact  # McNemar's test alone says whether 0 is excluded
        limits.append(sign * float(limit) + 0.0)  # no -0.0
    return limits[0], limits[1]


def _wilson_limit(mean: float, of_seeds: float, variances: VarianceComponents, normal: float) -> float:
    """Return the upper end of Wilson's interval around `mean`."""
    assert variances.bounds
    floor = normal ** 2 * variances.bounds.consistency / variances.units
    half, scale = mean + floor / 2, 1 + floor / variances.bounds.largest
    discriminant = half ** 2 - scale * (mean ** 2 - of_seeds)
    return float((half + np.sqrt(max(discriminant, 0.0))) / scale)


def _exact_limit(sign: int, of_seeds: float, variances: VarianceComponents, tail: float) -> float:
    """Return the upper end that the exact sign test leaves of sign * mean: discordance (2 share - 1)."""
    bounds = variances.bounds
    assert bounds
    own, others = (bounds.positive, bounds.negative)[::sign]
    mean, share = sign * variances.mean, 1.0
    if others > 1e-9:
        # P(more than `own` of all) + exactness P(as many) = tail
        share = brentq(lambda share: bounds.exactness * betainc(own + 1, others, share) - tail
                       + (1 - bounds.exactness) * (betainc(own, others + 1, share) if own > 1e-9 else 1.0), 0, 1)
    return float(mean + np.hypot(max(bounds.discordance * (2 * share - 1) - mean, 0.0), np.sqrt(of_seeds)))


def equivalence_interval(variances: VarianceComponents, t_values: TValues = (0.0,)) -> tuple[float, float]:
    """Return (low, high), the differences that two one-sided 5 % tests do not exclude: the 90 % interval or wider.

    For bounded differences the variance is that under the hypothesis, as in Tango's (1998) score test, here by
    exponential tilting: (mu - mean)^2 = t^2 (V + slope (mu - mean)/units), where V is as in `interval` and slope =
    sum a^3 / sum a^2 over the units' means a, with half a differing unit added. With the variance at the estimate
    alone, few discordant images would look equivalent too often.

    >>> nothing_differs = variance_components(np.zeros((1, 200)), np.ones(200))
    >>> round(equivalence_interval(nothing_differs)[1], 4)  # t^2 / 200
    0.0137
    """
    low, high = interval(variances, 0.90, t_values)
    if not variances.bounds:
        return low, high
    student = stdtrit(variances.units - 1, 0.95)
    _, half_width = standard_error_and_half_width(variances, variances.units, variances.seeds, 0.90)
    below, above = (student ** 2 * slope / (2 * variances.units)
                    for slope in (variances.bounds.slope_below, variances.bounds.slope_above))
    return (min(low, float(variances.mean - below - np.hypot(below, half_width))),
            max(high, float(variances.mean + above + np.hypot(above, half_width))))


def standard_error_and_half_width(variances: VarianceComponents, units: float, seeds: int, level: float,
                                  extra_variance: float = 0.0) -> tuple[float, float]:
    """Return the standard error of the mean for so many units and seeds, and the half-width of its interval.

    `extra_variance` is added to the variance of the units.
    """
    of_units = (variances.of_units(seeds) + extra_variance) / units
    of_seeds = variances.seed / seeds
    tail = (1 + level) / 2
    student = stdtrit(seeds - 1, tail) if seeds > 1 else 0.0
    half_width = np.sqrt(stdtrit(units - 1, tail) ** 2 * of_units + student ** 2 * of_seeds)
    return np.sqrt(of_units + of_seeds) + 1e-12, half_width


@dataclass(frozen=True)
class Estimate:
    """A mean difference with its uncertainty; t_values as `studentised` returns them, in ascending order."""

    variances: VarianceComponents
    t_values: np.ndarray

    @property
    def mean(self) -> float:
        return self.variances.mean

    @property
    def equivalence_interval(self) -> tuple[float, float]:
        return equivalence_interval(self.variances, self.t_values)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        return interval(self.variances, level, self.t_values)

    def p_value(self) -> float:
        """Return the p-value that inverts `interval`: 1 minus the greatest level whose interval excludes 0.

        So it is below 0.05 exactly if the 95 % interval excludes 0. At least `SMALLEST_P`, and 1 if none excludes it.
        """
        low, high = SMALLEST_P, 1.0  # the interval of a smaller p-value is wider: it excludes 0 at `high`, if at all
        if self._excludes_zero(low):
            return low
        if not self._excludes_zero(high):
            return high
        while high / low > 1 + 1e-9:
            middle = np.sqrt(low * high)
            low, high = (low, middle) if self._excludes_zero(middle) else (middle, high)
        return float(high)

    def _excludes_zero(self, p_value: float) -> bool:
        low, high = self.interval(1 - p_value)
        return low > 0 or high < 0


def estimate(differences: np.ndarray, settings: params.Compare, units: np.ndarray,
             bounds: np.ndarray | float | None = None) -> Estimate:
    """Estimate the mean of (seeds, images) differences; `units` are those of the images, as in `by_unit`.

    `bounds`: the greatest absolute difference that an image can have, or each of them, (images,); None if unbounded.
    """
    cells = by_unit(differences, units)
    limits = None if bounds is None else by_unit(np.broadcast_to(bounds, differences.shape[1:])[None] * 1.0, units)[0]
    variances = variance_components(cells, limits)  # refuses a single unit
    return Estimate(variances, np.sort(studentised(cells, settings.bootstrap, np.random.default_rng(settings.seed))))
