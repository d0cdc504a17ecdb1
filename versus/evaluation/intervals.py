"""The confidence interval of a mean difference over new images and new training runs.

Model: D[s, i] = mu + a[i] + b[s] + e[s, i], the difference for seed s and image i; images and seeds are both samples
of larger populations.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

from versus import params

TValues = np.ndarray | tuple[float, ...]
CHUNK = 4_000_000  # resampled images held in memory at a time


@dataclass(frozen=True)
class VarianceComponents:
    """The variance components of (seeds, images) differences, and their mean."""

    mean: float
    image: float        # variance of a[i], unbiased and so possibly below 0; with one seed that of the differences
    seed: float         # variance of b[s], 0 or more; 0 with one seed, which tells nothing about others
    noise: float        # variance of e[s, i]; 0 with one seed, where it is part of `image`
    consistency: float  # how consistently an image differs across seeds: 1 in all, 1/seeds in one; 0 if unbounded
    slope_below: float  # growth of the image variance for a true mean below the estimate, 0..1; 0 if unbounded
    slope_above: float  # the same for a true mean above it
    images: int
    seeds: int

    def of_images(self, seeds: int) -> float:
        """Return the variance of an image's mean over `seeds` seeds."""
        return np.maximum(self.image + self.noise / seeds, 0.0)


def variance_components(differences: np.ndarray, counts: bool = False) -> VarianceComponents:
    """Estimate the variance components of (seeds, images) differences by analysis of variance.

    image + noise/seeds = variance of the image means; seed = variance of the seed means - noise/images, at least 0;
    noise = mean square of D - image means - seed means + mean. Searle, Casella & McCulloch (1992), Variance
    Components, chapter 4. `counts` says that the differences are between right (1) and wrong (0), so -1, 0 or 1;
    other differences are unbounded.

    >>> variances = variance_components(np.array([[0.0, 2.0, 4.0], [2.0, 4.0, 6.0]]))
    >>> variances.mean, variances.image, variances.seed, variances.noise
    (3.0, 4.0, 2.0, 0.0)
    """
    seeds, images = differences.shape
    if images < 2:
        raise ValueError(f"got {images} validation image; expected at least 2: add validation images")
    by_image, by_seed, mean = differences.mean(axis=0), differences.mean(axis=1), differences.mean()
    noise = seed = 0.0
    if seeds > 1:
        residuals = differences - by_image - by_seed[:, None] + mean
        noise = (residuals ** 2).sum() / ((images - 1) * (seeds - 1))
        seed = max(by_seed.var(ddof=1) - noise / images, 0.0)
    # add one image that differs in every seed: few discordant images must not look like certainty
    consistency = ((by_image ** 2).sum() + 1) / (np.abs(differences).mean(axis=0).sum() + 1) if counts else 0.0
    square, cube = (by_image ** 2).sum() + 0.5, (by_image ** 3).sum()
    slopes = (max(0.5 - cube, 0) / square, max(0.5 + cube, 0) / square) if counts else (0.0, 0.0)
    image = by_image.var(ddof=1) - noise / seeds
    return VarianceComponents(float(mean), float(image), float(seed), float(noise), float(consistency),
                              float(slopes[0]), float(slopes[1]), images, seeds)


def studentised(differences: np.ndarray, resamples: int, rng: np.random.Generator) -> np.ndarray:
    """Resample the images and return t = (mean - mean*) / se* of each resample, (resamples,).

    The bootstrap-t of Efron & Tibshirani (1993), An Introduction to the Bootstrap, section 12.5.
    """
    centred = differences.mean(axis=0) - differences.mean()
    images = len(centred)
    variance = centred.var(ddof=1) / images
    if variance == 0:
        return np.zeros(resamples)
    values_of_t = []
    for start in range(0, resamples, max(CHUNK // images, 1)):
        rows = min(max(CHUNK // images, 1), resamples - start)
        values = centred[rng.integers(0, images, (rows, images))]  # (resamples, images)
        means = values.mean(axis=1)
        variances = (np.einsum("ri,ri->r", values, values) / images - means ** 2) / (images - 1)
        # a resample with hardly any discordant image has hardly any variance
        values_of_t.append(-means / np.sqrt(np.maximum(variances, variance / 4)))
    return np.concatenate(values_of_t)


def interval(variances: VarianceComponents, level: float, t_values: TValues = (0.0,)) -> tuple[float, float]:
    """Return (low, high), the confidence interval of the mean difference over new images and new seeds.

    Each half-width combines those of images and seeds by MOVER (Zou & Donner 2008, Statistics in Medicine 27):
    half_width^2 = q^2 (image + noise/seeds)/images + t[seeds-1]^2 seed/seeds, where q is the longer of Student's
    t[images-1] and the quantile of `t_values` (see `studentised`), which reflects the skewness. Seeds are not
    resampled: three or ten values do not show a distribution's shape, and resampling them makes the interval too
    narrow. With one seed it is the interval for these two trained classifiers. For counts it also includes every mean
    mu that the images cannot exclude, even if none is discordant (Wilson 1927):
    (mean - mu)^2 <= z^2 consistency |mu|(1 - |mu|)/images + the part of the seeds.

    >>> nothing_differs = variance_components(np.zeros((1, 200)), counts=True)
    >>> low, high = interval(nothing_differs, 0.95)
    >>> round(low, 4), round(high, 4)
    (-0.0188, 0.0188)
    """
    tail = (1 + level) / 2
    student = stdtrit(variances.images - 1, tail)
    of_seeds = 0.0
    if variances.seeds > 1:
        of_seeds = stdtrit(variances.seeds - 1, tail) ** 2 * variances.seed / variances.seeds
    below, above = -np.quantile(t_values, 1 - tail), np.quantile(t_values, tail)
    low = -_upper_limit(-variances.mean, max(student, below), of_seeds, variances, ndtri(tail))
    high = _upper_limit(variances.mean, max(student, above), of_seeds, variances, ndtri(tail))
    return float(low) + 0.0, float(high) + 0.0  # no -0.0


def _upper_limit(mean: float, quantile: float, of_seeds: float, variances: VarianceComponents, normal: float) -> float:
    """Return the upper end of the interval around `mean`."""
    upper = mean + np.sqrt(quantile ** 2 * variances.of_images(variances.seeds) / variances.images + of_seeds)
    if not variances.consistency:
        return upper
    floor = normal ** 2 * variances.consistency / variances.images
    half = mean + floor / 2
    discriminant = half ** 2 - (1 + floor) * (mean ** 2 - of_seeds)
    wilson = (half + np.sqrt(max(discriminant, 0.0))) / (1 + floor)
    return min(max(upper, wilson), 1.0)


def equivalence_interval(variances: VarianceComponents, t_values: TValues = (0.0,)) -> tuple[float, float]:
    """Return (low, high), the differences that two one-sided 5 % tests do not exclude: the 90 % interval or wider.

    For counts the variance is that under the hypothesis, as in Tango's (1998) score test, here by exponential tilting:
    (mu - mean)^2 = t^2 (V + slope (mu - mean)/images), where V is as in `interval` and slope = sum a^3 / sum a^2 over
    the image means a, with half a differing image added. With the variance at the estimate alone, few discordant
    images would look equivalent too often.

    >>> nothing_differs = variance_components(np.zeros((1, 200)), counts=True)
    >>> round(equivalence_interval(nothing_differs)[1], 4)  # t^2 / 200
    0.0137
    """
    low, high = interval(variances, 0.90, t_values)
    student = stdtrit(variances.images - 1, 0.95)
    _, half_width = standard_error_and_half_width(variances, variances.images, variances.seeds, 0.90)
    below, above = (student ** 2 * slope / (2 * variances.images)
                    for slope in (variances.slope_below, variances.slope_above))
    return (min(low, float(variances.mean - below - np.hypot(below, half_width))),
            max(high, float(variances.mean + above + np.hypot(above, half_width))))


def standard_error_and_half_width(variances: VarianceComponents, images: float, seeds: int, level: float,
                                  extra_variance: float = 0.0) -> tuple[float, float]:
    """Return the standard error of the mean for so many images and seeds, and the half-width of its interval.

    `extra_variance` is added to the variance of the images.
    """
    of_images = (variances.of_images(seeds) + extra_variance) / images
    of_seeds = variances.seed / seeds
    tail = (1 + level) / 2
    student = stdtrit(seeds - 1, tail) if seeds > 1 else 0.0
    half_width = np.sqrt(stdtrit(images - 1, tail) ** 2 * of_images + student ** 2 * of_seeds)
    return np.sqrt(of_images + of_seeds) + 1e-12, half_width


@dataclass(frozen=True)
class Estimate:
    """A mean difference with its uncertainty."""

    variances: VarianceComponents
    interval: tuple[float, float]              # 95 %
    equivalence_interval: tuple[float, float]

    @property
    def mean(self) -> float:
        return self.variances.mean


def estimate(differences: np.ndarray, settings: params.Compare, counts: bool = False) -> Estimate:
    """Estimate the mean of (seeds, images) differences; `counts` as in `variance_components`."""
    variances = variance_components(differences, counts)
    t_values = studentised(differences, settings.bootstrap, np.random.default_rng(settings.seed))
    return Estimate(variances, interval(variances, 0.95, t_values), equivalence_interval(variances, t_values))
