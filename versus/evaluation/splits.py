"""How much of a difference is due to the split: repeated over folds, views and seeds (`compare.splits`).

Model: D[f, w, s, u], the difference of fold f, set of views w, seed s and unit u (see `intervals`), has effects of the
training set, which is that of all folds but f, of w, s and u, and of their interactions. Each unit is in one fold.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
from scipy.special import ndtri

from versus import params
from versus.artifacts.splits import SplitPredictions, blocks
from versus.evaluation.intervals import Estimate, by_unit, studentised, variance_components

VIEWS, SEED, UNIT = 0, 1, 2  # axes of differences; of those without a second fold the first is that fold


def compare_splits(one: SplitPredictions, other: SplitPredictions, settings: params.Compare) -> dict:
    """Compare two competitors over all folds, sets of views and seeds; differences in accuracy, other minus one.

    Returns flat scalars. accuracy_difference: over all images, each predicted by heads that have not seen its fold,
    with its 95 % `interval`. sd_*: what each source contributes to the difference of a single training run on a single
    split (`components`), as standard deviations. probability_other_better: see `probability_better`.
    """
    differences, second = (getattr(other, name).astype(float) - getattr(one, name)
                           for name in ("correct", "correct_without_second"))
    difference = estimate(differences, second, one.folds, one.units, settings)
    low, high = difference.interval()
    share, share_low, share_high = probability_better(differences, one.folds)
    variances = components(differences, second, one.folds, one.units)
    return {"splits": one.splits, "images": len(one.files), "units": difference.variances.units,
            "training_images": round(len(one.files) * (one.splits - 1) / one.splits),
            "view_sets": differences.shape[VIEWS], "seeds": differences.shape[SEED],
            "accuracy_one": float(one.correct.mean()), "accuracy_other": float(other.correct.mean()),
            "accuracy_difference": difference.mean, "accuracy_low": low, "accuracy_high": high,
            "p_value": difference.p_value(),
            "probability_other_better": share, "probability_low": share_low, "probability_high": share_high,
            **{f"sd_{name}": float(np.sqrt(variance)) for name, variance in variances.items()},
            "sd_single_run": float(np.sqrt(sum(variances.values())))}


def variance_component(values: np.ndarray, axes: Sequence[int]) -> float:
    """Estimate the variance of one effect in a crossed array with one value a cell, by analysis of variance.

    axes: those of the effect, such as (0,) for a main effect or (0, 2) for an interaction. With v(B) the variance of
    the interaction of the axes B in the means over all others, which has the expectation sum over C including B of
    variance(C) / (levels of the axes in C but not in B), it is sum over B including A of (-1)^(|B| - |A|) v(B) /
    (levels of the axes in B but not in A). Searle, Casella & McCulloch (1992), Variance Components, chapter 4.
    Unbiased, and so possibly below 0; 0 where an axis has one level, which tells nothing about others.

    >>> variance_component(np.array([[0.0, 2.0, 4.0], [2.0, 4.0, 6.0]]), (0,))
    2.0
    """
    if any(values.shape[axis] == 1 for axis in axes):
        return 0.0
    rest = [axis for axis in range(values.ndim) if axis not in axes and values.shape[axis] > 1]
    total = 0.0
    for number in range(len(rest) + 1):
        for added in combinations(rest, number):
            levels = np.prod([values.shape[axis] for axis in added])
            total += (-1) ** number * _variance_of_interaction(values, (*axes, *added)) / levels
    return float(total)


def _variance_of_interaction(values: np.ndarray, axes: Sequence[int]) -> float:
    """Return the sum of squares of an interaction in the means over all other axes, by its degrees of freedom."""
    means = values.mean(axis=tuple(axis for axis in range(values.ndim) if axis not in axes), keepdims=True)
    for axis in axes:
        means = means - means.mean(axis=axis, keepdims=True)
    return float((means ** 2).sum() / np.prod([values.shape[axis] - 1 for axis in axes]))


def components(differences: np.ndarray, second: np.ndarray, folds: np.ndarray, units: np.ndarray) -> dict[str, float]:
    """Estimate what varies the difference of one training run on one split, as variances, at least 0.

    differences: (views, seeds, images). second, (blocks - 1, seeds, images): those of heads that have seen neither
    the image's block of folds nor a second one. images: which images validate, for as many as a fold has. training:
    which images train, whatever their views (see `_of_training`). views and seed: including their interactions with
    images. Means over the folds.
    """
    rows, splits = [], int(folds.max()) + 1
    for cells in _of_folds(differences, folds, units):
        number = cells.shape[UNIT]

        def of(*axes: int, cells: np.ndarray = cells) -> float:
            return variance_component(cells, axes)

        rows.append({"images": of(UNIT) / number, "main effect of views": of(VIEWS),
                     "views": of(VIEWS) + of(VIEWS, UNIT) / number,
                     "seed": of(SEED) + of(VIEWS, SEED) + (of(SEED, UNIT) + of(VIEWS, SEED, UNIT)) / number})
    means = {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
    means["training"] = (_of_training(second, folds, units) * splits / (splits - 1)
                         - means.pop("main effect of views"))
    return {name: max(variance, 0.0) for name, variance in means.items()}


def _of_folds(values: np.ndarray, folds: np.ndarray, units: np.ndarray) -> list[np.ndarray]:
    """Divide (…, images) values into those of each fold, by unit: (…, units)."""
    of_folds = []
    for fold in range(int(folds.max()) + 1):
        of_fold = folds == fold
        own_units = np.unique(units[of_fold], return_inverse=True)[1]
        rows = values[..., of_fold].reshape(-1, int(of_fold.sum()))
        of_folds.append(by_unit(rows, own_units).reshape(*values.shape[:-1], -1))
    return of_folds


def _of_training(second: np.ndarray, folds: np.ndarray, units: np.ndarray) -> float:
    """Estimate the variance between training sets of other images in other views, as many as all folds have together.

    By the delete-a-group jackknife, mean over the blocks of images that validate: (g - 1)^2 / g times the variance
    between the g training sets that lack one block more (Efron & Stein 1981; Kott 2001, Journal of Official Statistics
    17), times the share of the images that g blocks have. The folds' means would show it only together with their
    different images, and too small, since their training sets overlap (Bengio & Grandvalet 2004).
    """
    of_blocks = _of_folds(second, blocks(int(folds.max()) + 1)[folds], units)
    number = len(second)
    variance = np.mean([variance_component(without, (0,)) for without in of_blocks])
    return float((number - 1) ** 2 / number * variance * number / (number + 1))


def estimate(differences: np.ndarray, second: np.ndarray, folds: np.ndarray, units: np.ndarray,
             settings: params.Compare) -> Estimate:
    """Estimate the mean difference in accuracy over new images, training sets of as many, views and seeds.

    Units, each in one fold, are resampled over all folds as in `intervals`, with their means over views and seeds. To
    that MOVER adds the variance of the mean due to seeds, by t with seeds - 1 degrees of freedom, and due to the
    training images and their views, by t with blocks - 1. The latter is that of a training set of all images: training
    sets overlap, and if every image adds a little to an effect, independently of others, so it is in their mean over
    folds (less, the more sets of views there are). Nadeau & Bengio (2003) presume what is measured here.
    """
    views, seeds, images = differences.shape
    rows = by_unit(differences.reshape(-1, images), units)  # (views * seeds, units)
    cells = rows.reshape(views, seeds, -1)
    of_runs = [(max(_of_training(second, folds, units), 0.0), len(second))]
    if seeds > 1:
        of_seeds = variance_component(cells, (SEED,)) + variance_component(cells, (VIEWS, SEED)) / views
        of_runs.append((max(of_seeds, 0.0) / seeds, seeds - 1))
    variances = variance_components(rows, by_unit(np.ones((1, images)), units)[0])
    variances = replace(variances, seed=0.0, of_runs=tuple(of_runs))  # the rows are no independent seeds
    return Estimate(variances, np.sort(studentised(rows, settings.bootstrap, np.random.default_rng(settings.seed))))


def probability_better(differences: np.ndarray, folds: np.ndarray) -> tuple[float, float, float]:
    """Return the share of runs in which the other is better on the images of a fold: (share, low, high).

    That is P(A > B) of Bouthillier et al. (2021), Accounting for Variance in Machine Learning Benchmarks, over new
    splits, views and seeds; a tie counts one half. low, high: its 95 % interval, Wilson's (1927) for as many
    independent runs as there are folds, since the runs of a fold share their images.

    >>> share, low, high = probability_better(np.ones((2, 3, 50)), np.arange(50) % 5)
    >>> share, round(low, 2), high
    (1.0, 0.57, 1.0)
    """
    splits = int(folds.max()) + 1
    means = np.stack([differences[..., folds == fold].mean(axis=-1) for fold in range(splits)])
    share = float((np.sign(means.round(12)).mean() + 1) / 2)
    square = ndtri(0.975) ** 2 / splits
    centre, half = share + square / 2, np.sqrt(square * (share * (1 - share) + square / 4))
    return share, float(max((centre - half) / (1 + square), 0)), float(min((centre + half) / (1 + square), 1))
