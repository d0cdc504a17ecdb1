"""How many images and seeds show a difference: the power of the comparison, from the variances of a run."""

from bisect import bisect_left
from dataclasses import replace

import numpy as np
from scipy.special import ndtr

from versus.evaluation.intervals import VarianceComponents, standard_error_and_half_width

MOST_IMAGES = 10_000_000
MOST_SEEDS = 10_000


def power(difference: float, variances: VarianceComponents, images: float, seeds: int, margin: float = 0.0) -> float:
    """Return the probability of a decision with so many images and seeds if the true difference is `difference`.

    The larger of P(95 % interval excludes 0) = Phi((|d| - w)/se) + Phi((-|d| - w)/se) and, with a margin,
    P(90 % interval lies within it) = Phi((margin - d - w)/se) + Phi((margin + d - w)/se) - 1, where
    se^2 = (image + noise/seeds)/images + seed/seeds and w is the half-width of the interval. The variances are treated
    as known. For counts a difference beyond the current mean m adds consistency (|d| (1 - |d|) - |m| (1 - |m|)) to the
    images' variance: as many images as now differ in both directions, and more of them differ in one.

    >>> one = VarianceComponents(mean=0.0, image=1.0, seed=0.0, noise=0.0, consistency=0.0, slope_below=0.0,
    ...                          slope_above=0.0, images=100, seeds=1)
    >>> round(float(power(0.28, one, images=100, seeds=1)), 2)
    0.79
    """
    then, now = (abs(mean) * (1 - abs(mean)) for mean in (difference, variances.mean))
    variances = replace(variances, image=variances.image + variances.consistency * max(then - now, 0.0))
    error, width = standard_error_and_half_width(variances, images, seeds, 0.95)
    better = ndtr((abs(difference) - width) / error) + ndtr((-abs(difference) - width) / error) if difference else 0.0
    _, above = standard_error_and_half_width(variances, images, seeds, 0.90,
                                             variances.slope_above * max(margin - difference, 0))
    _, below = standard_error_and_half_width(variances, images, seeds, 0.90,
                                             variances.slope_below * max(margin + difference, 0))
    equivalent = ndtr((margin - difference - above) / error) + ndtr((margin + difference - below) / error) - 1
    return np.maximum(better, equivalent)


def images_needed(difference: float, variances: VarianceComponents, seeds: int, margin: float = 0.0,
                  probability: float = 0.8) -> int:
    """Return the smallest number of images that decides with that `probability` (see `power`), with so many seeds.

    -1 if no number of images would, because the variance between seeds is too large; at most 10 million.

    >>> one = VarianceComponents(mean=0.0, image=1.0, seed=0.0, noise=0.0, consistency=0.0, slope_below=0.0,
    ...                          slope_above=0.0, images=100, seeds=1)
    >>> images_needed(0.28, one, seeds=1)  # (1.96 + 0.84)^2 / 0.28^2 = 100, and 2 more for Student's t
    102
    """
    def enough(images: int) -> bool:
        return bool(power(difference, variances, images, seeds, margin) >= probability)

    if power(difference, variances, np.inf, seeds, margin) < probability:
        return -1
    return 2 + bisect_left(range(2, MOST_IMAGES), True, key=enough)  # power grows with the number of images


def seeds_needed(difference: float, variances: VarianceComponents, images: int, margin: float = 0.0,
                 probability: float = 0.8) -> int:
    """Return the smallest number of seeds, 2 or more, that decides with that `probability`, with so many images.

    -1 if no number of seeds would, because the images are too few. Raise ValueError for variances of one seed.

    >>> two = VarianceComponents(mean=0.0, image=0.0, seed=1.0, noise=0.0, consistency=0.0, slope_below=0.0,
    ...                          slope_above=0.0, images=100, seeds=5)
    >>> seeds_needed(1.0, two, images=100)
    10
    """
    def enough(seeds: int) -> bool:
        return bool(power(difference, variances, images, seeds, margin) >= probability)

    if variances.seeds < 2:
        raise ValueError("got variances of 1 seed, expected 2 or more: one seed shows no variance; raise train.seeds")
    needed = 2 + bisect_left(range(2, MOST_SEEDS), True, key=enough)
    return needed if needed < MOST_SEEDS else -1
