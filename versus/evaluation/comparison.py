"""Is one framework better than the other? Paired differences, torch minus keras, with their uncertainty.

Model: D[s, i] = mu + a[i] + b[s] + e[s, i], the difference for seed s and image i; images and seeds are both samples
from many. Positive accuracy differences and negative log loss differences speak for PyTorch.
"""

from bisect import bisect_left
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri, stdtrit
from scipy.stats import binom
from statsmodels.stats.contingency_tables import mcnemar

MOST_IMAGES = 10_000_000
MOST_SEEDS = 10_000
CHUNK = 4_000_000  # resampled images held in memory at a time


@dataclass(frozen=True)
class Components:
    """The variance components of (seeds, images) differences, and their mean."""

    mean: float
    image: float   # variance of a[i], unbiased and so possibly below 0; with one seed that of the differences
    seed: float    # variance of b[s], 0 or more; 0 with one seed, which tells nothing about others
    noise: float   # variance of e[s, i]; 0 with one seed, where it is part of `image`
    share: float   # how much one image counts in all seeds: 1 fully, 1/seeds not at all; 0 for unbounded differences
    down: float    # how the image variance grows for a true mean below the estimate, 0..1; 0 for unbounded differences
    up: float      # the same above it
    images: int
    seeds: int

    def of_images(self, seeds):
        """Variance of an image's mean over so many seeds."""
        return np.maximum(self.image + self.noise / seeds, 0.0)


def components(differences, counts=False):
    """Estimate the variance components of (seeds, images) differences by analysis of variance.

    image + noise/seeds = variance of the image means; seed = variance of the seed means - noise/images, at least 0;
    noise = mean square of D - image means - seed means + mean. Searle, Casella & McCulloch (1992), Variance
    Components, chapter 4. `counts` says that differences are of right (1) and wrong (0), thus -1, 0 or 1.

    >>> found = components(np.array([[0.0, 2.0, 4.0], [2.0, 4.0, 6.0]]))
    >>> found.mean, found.image, found.seed, found.noise
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
    # one image more, that differs in every seed: few discordant images must not look like certainty
    share = ((by_image ** 2).sum() + 1) / (np.abs(differences).mean(axis=0).sum() + 1) if counts else 0.0
    square, cube = (by_image ** 2).sum() + 0.5, (by_image ** 3).sum()
    down, up = (max(0.5 - cube, 0) / square, max(0.5 + cube, 0) / square) if counts else (0.0, 0.0)
    image = by_image.var(ddof=1) - noise / seeds
    return Components(float(mean), float(image), float(seed), float(noise), float(share), float(down), float(up),
                      images, seeds)


def studentised(differences, resamples, rng):
    """Resample the images: (mean - mean*) / se*, (resamples,); Efron & Tibshirani (1993), section 12.5."""
    centred = differences.mean(axis=0) - differences.mean()
    images = len(centred)
    variance = centred.var(ddof=1) / images
    if variance == 0:
        return np.zeros(resamples)
    drawn = []
    for start in range(0, resamples, max(CHUNK // images, 1)):
        rows = min(max(CHUNK // images, 1), resamples - start)
        values = centred[rng.integers(0, images, (rows, images))]  # (resamples, images)
        means = values.mean(axis=1)
        variances = (np.einsum("ri,ri->r", values, values) / images - means ** 2) / (images - 1)
        # resamples with hardly a discordant image have hardly a variance
        drawn.append(-means / np.sqrt(np.maximum(variances, variance / 4)))
    return np.concatenate(drawn)


def interval(found, level, statistics=(0.0,)):
    """Return (low, high), the confidence interval of the mean difference over new images and new seeds.

    Each arm joins that of the images and that of the seeds by MOVER (Zou & Donner 2008, Statistics in Medicine 27):
    arm^2 = q^2 (image + noise/seeds)/images + t[seeds-1]^2 seed/seeds, where q is the longer of Student's t[images-1]
    and the quantile of `studentised`, which knows the skewness. Seeds are not resampled: three or ten values have no
    shape, and resampling them makes intervals that are too narrow. With one seed it is the interval for these two
    trained classifiers. For counts an arm also reaches every mean mu that the images cannot exclude, even if none is
    discordant: (mean - mu)^2 <= z^2 share |mu|(1 - |mu|)/images + the part of the seeds, Wilson's (1927) interval.

    >>> nothing_differs = components(np.zeros((1, 200)), counts=True)
    >>> low, high = interval(nothing_differs, 0.95)
    >>> round(low, 4), round(high, 4)
    (-0.0188, 0.0188)
    """
    tail = (1 + level) / 2
    student = stdtrit(found.images - 1, tail)
    of_seeds = stdtrit(found.seeds - 1, tail) ** 2 * found.seed / found.seeds if found.seeds > 1 else 0.0
    low_arm, high_arm = -np.quantile(statistics, 1 - tail), np.quantile(statistics, tail)
    low = -_reach(-found.mean, max(student, low_arm), of_seeds, found, ndtri(tail))
    high = _reach(found.mean, max(student, high_arm), of_seeds, found, ndtri(tail))
    return float(low), float(high)


def _reach(mean, quantile, of_seeds, found, normal):
    """The upper end of the interval round `mean`."""
    upper = mean + np.sqrt(quantile ** 2 * found.of_images(found.seeds) / found.images + of_seeds)
    if not found.share:
        return upper
    floor = normal ** 2 * found.share / found.images
    half = mean + floor / 2
    discriminant = half ** 2 - (1 + floor) * (mean ** 2 - of_seeds)
    wilson = (half + np.sqrt(max(discriminant, 0.0))) / (1 + floor)
    return min(max(upper, wilson), 1.0)


def equivalence_interval(found, statistics=(0.0,)):
    """Return (low, high), the differences that two one-sided 5 % tests do not exclude: the 90 % interval, made safe.

    For counts the variance is that under the hypothesis, as in Tango's (1998) score test, here by exponential tilting:
    (mu - mean)^2 = t^2 (V + up (mu - mean)/images), V as in `interval` and up = sum a^3 / sum a^2 over the image means
    a, with half an image added that differs. With the variance at the estimate alone, few discordant images would too
    often look equivalent.

    >>> nothing_differs = components(np.zeros((1, 200)), counts=True)
    >>> round(equivalence_interval(nothing_differs)[1], 4)  # t^2 / 200
    0.0137
    """
    low, high = interval(found, 0.90, statistics)
    student = stdtrit(found.images - 1, 0.95)
    _, arm = _precision(found, found.images, found.seeds, 0.90)
    low_rise, high_rise = (student ** 2 * rise / (2 * found.images) for rise in (found.down, found.up))
    return (min(low, float(found.mean - low_rise - np.hypot(low_rise, arm))),
            max(high, float(found.mean + high_rise + np.hypot(high_rise, arm))))


def mcnemar_exact(only_keras, only_torch):
    """Return the exact p-value of McNemar's test: only_keras images that Keras alone has right, and vice versa."""
    return float(mcnemar([[0, only_keras], [only_torch, 0]], exact=True).pvalue)


def mcnemar_midp(only_keras, only_torch):
    """Return the mid-p value of McNemar's test: 2 P(X <= k) - P(X = k), or 1 - P(X = k)/2 if both counts are equal.

    k is the smaller count, X binomial with the sum of the counts and 1/2. Fagerland, Lydersen & Laake (2013), BMC
    Medical Research Methodology 13:91; theirs is the example.

    >>> round(mcnemar_midp(1, 7), 3)
    0.039
    >>> mcnemar_midp(0, 0)
    1.0
    """
    few, discordant = min(only_keras, only_torch), only_keras + only_torch
    if discordant == 0:
        return 1.0
    point = binom.pmf(few, discordant, 0.5)
    if only_keras == only_torch:
        return float(1 - point / 2)
    return float(2 * binom.cdf(few, discordant, 0.5) - point)


def verdict(interval_95, equivalence, margin):
    """Judge by the accuracy difference's interval and `equivalence_interval`: two one-sided tests (Schuirmann 1987).

    >>> verdict((-0.01, 0.02), (-0.005, 0.015), margin=0.02), verdict((0.01, 0.07), (0.02, 0.06), margin=0.02)
    ('equivalent within margin', 'torch better')
    """
    if -margin < equivalence[0] and equivalence[1] < margin:
        return "equivalent within margin"
    if interval_95[0] > 0:
        return "torch better"
    return "keras better" if interval_95[1] < 0 else "undecided"


def power(difference, found, images, seeds, margin=0.0):
    """Return the chance of a decision with so many images and seeds, if the true difference is `difference`.

    The greater of P(95 % interval excludes 0) = Phi((|d| - w)/se) + Phi((-|d| - w)/se) and, with a margin,
    P(90 % interval lies within it) = Phi((margin - d - w)/se) + Phi((margin + d - w)/se) - 1, where
    se^2 = (image + noise/seeds)/images + seed/seeds and w is the arm of the interval. The variances count as known. For
    counts a difference beyond the current mean m adds share (|d| (1 - |d|) - |m| (1 - |m|)) to the images' variance:
    the images in which the two differ both ways stay, and more that differ one way join them.

    >>> one = Components(mean=0.0, image=1.0, seed=0.0, noise=0.0, share=0.0, down=0.0, up=0.0, images=100, seeds=1)
    >>> round(float(power(0.28, one, images=100, seeds=1)), 2)
    0.79
    """
    then, now = (abs(mean) * (1 - abs(mean)) for mean in (difference, found.mean))
    found = replace(found, image=found.image + found.share * max(then - now, 0.0))
    error, arm = _precision(found, images, seeds, 0.95)
    better = ndtr((abs(difference) - arm) / error) + ndtr((-abs(difference) - arm) / error) if difference else 0.0
    _, high = _precision(found, images, seeds, 0.90, found.up * max(margin - difference, 0))
    _, low = _precision(found, images, seeds, 0.90, found.down * max(margin + difference, 0))
    equivalent = ndtr((margin - difference - high) / error) + ndtr((margin + difference - low) / error) - 1
    return np.maximum(better, equivalent)


def _precision(found, images, seeds, level, rise=0.0):
    """Standard error and arm of the interval, with `rise` added to the variance of the images."""
    of_images = (found.of_images(seeds) + rise) / images
    of_seeds = found.seed / seeds
    tail = (1 + level) / 2
    student = stdtrit(seeds - 1, tail) if seeds > 1 else 0.0
    arm = np.sqrt(stdtrit(images - 1, tail) ** 2 * of_images + student ** 2 * of_seeds)
    return np.sqrt(of_images + of_seeds) + 1e-12, arm


def images_needed(difference, found, seeds, margin=0.0, chance=0.8):
    """Return the smallest number of images that decides with that `chance` (see `power`), the seeds staying.

    -1 if no number of images would, as the seeds' own variance is too great; at most 10 million.

    >>> one = Components(mean=0.0, image=1.0, seed=0.0, noise=0.0, share=0.0, down=0.0, up=0.0, images=100, seeds=1)
    >>> images_needed(0.28, one, seeds=1)  # (1.96 + 0.84)^2 / 0.28^2 = 100, and 2 more for Student's t
    102
    """
    if power(difference, found, np.inf, seeds, margin) < chance:
        return -1
    enough = range(2, MOST_IMAGES)
    return 2 + bisect_left(enough, True, key=lambda n: bool(power(difference, found, n, seeds, margin) >= chance))


def seeds_needed(difference, found, images, margin=0.0, chance=0.8):
    """Return the smallest number of seeds, 2 or more, that decides with that `chance`, the images staying.

    -1 if no number of seeds would, as the images are too few. Raise ValueError for components of one seed.

    >>> two = Components(mean=0.0, image=0.0, seed=1.0, noise=0.0, share=0.0, down=0.0, up=0.0, images=100, seeds=5)
    >>> seeds_needed(1.0, two, images=100)
    10
    """
    if found.seeds < 2:
        raise ValueError("got variances of 1 seed, expected 2 or more: one seed shows no variance; raise train.seeds")
    enough = range(2, MOST_SEEDS)
    needed = 2 + bisect_left(enough, True, key=lambda s: bool(power(difference, found, images, s, margin) >= chance))
    return needed if needed < MOST_SEEDS else -1


def log_losses(probabilities, labels):
    """Return -log of the probability given to each image's own class: (seeds, images)."""
    own = np.take_along_axis(probabilities, labels[None, :, None], axis=2)[:, :, 0]
    return -np.log(np.maximum(own, np.finfo(own.dtype).eps))


def mean_interval(differences, settings, counts=False):
    """Return the components of (seeds, images) differences, their 95 % interval, and their `equivalence_interval`."""
    found = components(differences, counts)
    drawn = studentised(differences, settings.bootstrap, np.random.default_rng(settings.seed))
    return found, interval(found, 0.95, drawn), equivalence_interval(found, drawn)


def compare(keras, torch, labels, settings):
    """Compare (seeds, images, classes) probabilities of the same images, seeds paired; `settings`: params.compare."""
    if keras.shape != torch.shape:
        raise ValueError(f"got predictions of {keras.shape} by Keras and {torch.shape} by PyTorch; expected the same "
                         "(seeds, images, classes): run `dvc repro`")
    chosen_keras, chosen_torch = keras.argmax(axis=2), torch.argmax(axis=2)  # (seeds, images)
    right_keras, right_torch = chosen_keras == labels, chosen_torch == labels
    accuracy, interval_95, equivalence = mean_interval(right_torch.astype(float) - right_keras, settings, counts=True)
    loss, loss_95, _ = mean_interval(log_losses(torch, labels) - log_losses(keras, labels), settings)
    alone = int((right_keras & ~right_torch)[0].sum()), int((right_torch & ~right_keras)[0].sum())
    return {
        "accuracy_difference": accuracy.mean, "accuracy_low": interval_95[0], "accuracy_high": interval_95[1],
        "log_loss_difference": loss.mean, "log_loss_low": loss_95[0], "log_loss_high": loss_95[1],
        "mcnemar_p": mcnemar_exact(*alone), "mcnemar_midp": mcnemar_midp(*alone),
        "agreement": float((chosen_keras == chosen_torch).mean()),
        "verdict": verdict(interval_95, equivalence, settings.margin),
        "images_needed": images_needed(accuracy.mean, accuracy, accuracy.seeds, settings.margin),
        "images": accuracy.images, "seeds": accuracy.seeds,
    }
