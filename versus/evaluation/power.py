"""How many images and seeds show a difference: the power of the comparison, from the variances of a run."""

from bisect import bisect_left
from dataclasses import replace

import numpy as np
from scipy.special import ndtr

from versus.evaluation.findings import MOST_UNITS
from versus.evaluation.intervals import VarianceComponents, standard_error_and_half_width

MOST_SEEDS = 10_000
PROBABILITY = 0.8  # that a difference is to be shown with
STEPS = 2000       # of the smallest difference: 0.0005


def power(difference: float, variances: VarianceComponents, units: float, seeds: int) -> float:
    """Return the probability of a 95 % interval without 0, with so many units and seeds, for a true `difference`.

    Phi((|d| - w)/se) + Phi((-|d| - w)/se), where se^2 = (image + noise/seeds)/units + seed/seeds and w is the
    half-width of the interval. The variances are treated as known. For bounded differences one beyond the current mean
    m adds consistency (|d| (1 - |d|) - |m| (1 - |m|)) to the units' variance: as many units as now differ in both
    directions, and more of them differ in one.

    >>> one = VarianceComponents(mean=0.0, image=1.0, seed=0.0, noise=0.0, units=100, seeds=1)
    >>> round(float(power(0.28, one, units=100, seeds=1)), 2)
    0.79
    """
    if variances.bounds:
        then, now = (abs(mean) * (1 - abs(mean)) for mean in (difference, variances.mean))
        variances = replace(variances, image=variances.image + variances.bounds.consistency * max(then - now, 0.0))
    error, width = standard_error_and_half_width(variances, units, seeds, 0.95)
    return ndtr((abs(difference) - width) / error) + ndtr((-abs(difference) - width) / error)


def smallest_difference(variances: VarianceComponents) -> float:
    """Return the smallest true difference that units and seeds like these show with a probability of 80 %; 1 if none.

    In steps of 0.0005. Unlike the number of units that the difference of a run would need, it does not depend on the
    difference that the run happens to have.

    >>> one = VarianceComponents(mean=0.0, image=1.0, seed=0.0, noise=0.0, units=10_000, seeds=1)
    >>> smallest_difference(one)  # (1.96 + 0.84) / 100
    0.0285
    """
    def enough(step: int) -> bool:
        return bool(power(step / STEPS, variances, variances.units, variances.seeds) >= PROBABILITY)

    return bisect_left(range(STEPS), True, key=enough) / STEPS


def units_needed(difference: float, variances: VarianceComponents, seeds: int,
                 probability: float = PROBABILITY) -> int:
    """Return the smallest number of units that shows the difference with that `probability`, with so many seeds.

    -1 if no number of units would, because the variance between seeds is too large; at most 10 million.

    >>> one = VarianceComponents(mean=0.0, image=1.0, seed=0.0, noise=0.0, units=100, seeds=1)
    >>> units_needed(0.28, one, seeds=1)  # (1.96 + 0.84)^2 / 0.28^2 = 100, and 2 more for Student's t
    102
    """
    def enough(units: int) -> bool:
        return bool(power(difference, variances, units, seeds) >= probability)

    if power(difference, variances, np.inf, seeds) < probability:
        return -1
    return 2 + bisect_left(range(2, MOST_UNITS), True, key=enough)  # power grows with the number of units


def seeds_needed(difference: float, variances: VarianceComponents, units: int,
                 probability: float = PROBABILITY) -> int:
    """Return the smallest number of seeds, 2 or more, that shows it with that `probability`, with so many units.

    -1 if no number of seeds would, because the units are too few. Raise ValueError for variances of one seed.

    >>> two = VarianceComponents(mean=0.0, image=0.0, seed=1.0, noise=0.0, units=100, seeds=5)
    >>> seeds_needed(1.0, two, units=100)
    10
    """
    def enough(seeds: int) -> bool:
        return bool(power(difference, variances, units, seeds) >= probability)

    if variances.seeds < 2:
        raise ValueError("got variances of 1 seed, expected 2 or more: one seed shows no variance; raise train.seeds")
    needed = 2 + bisect_left(range(2, MOST_SEEDS), True, key=enough)
    return needed if needed < MOST_SEEDS else -1
