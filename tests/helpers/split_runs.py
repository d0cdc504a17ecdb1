"""Draw the differences of two classifiers over folds, views and seeds, whose true mean and variances are known."""

from typing import NamedTuple

import numpy as np
from scipy.stats import norm

from versus.artifacts.splits import blocks


class SplitRuns(NamedTuple):
    """Differences as `versus.evaluation.splits` takes them, their true mean, and how it answers to an effect."""

    differences: np.ndarray
    second: np.ndarray
    folds: np.ndarray
    units: np.ndarray
    truth: float
    slope: float  # change of the accuracy for a small effect on the logits


def draw(rng, images=300, splits=5, training=0.0, views=0.0, seed=0.0, sets=3, seeds=4, members=1):
    """Draw runs in which every training image and every view of it adds a little to the other's logits.

    training, views, seed: standard deviations of these effects on logits of all images, for training on all folds but
    one. members: images in a unit, which are alike.
    """
    units = np.arange(images) // members
    number = int(units.max()) + 1
    folds = np.arange(number) % splits
    scale = np.sqrt(number * (splits - 1) / splits)
    influence = rng.normal(size=number) * training * scale + rng.normal(size=(sets, number)) * views * scale
    of_folds = np.stack([influence[:, folds == fold].sum(axis=1) for fold in range(splits)])  # (splits, sets)
    difficulty = 1.6 + rng.normal(size=number)[units]
    own = 0.6 * rng.normal(size=(2, number))[:, units]
    answers = 0.3 * rng.normal(size=(splits, number))[:, units]  # each image's own answer to each fold
    of_seeds = seed * rng.normal(size=(2, seeds, 1))
    folds = folds[units]

    def run(left_out, view_set, predicted):
        trained = [fold for fold in range(splits) if fold not in left_out]
        effect = of_folds[trained, view_set].sum() / np.isin(folds[::members], trained).sum()
        effect = effect + answers[trained][:, predicted].sum(axis=0) / np.sqrt(len(trained))
        noise = 0.3 * rng.normal(size=(2, seeds, predicted.sum()))
        one, other = (difficulty + own)[:, None, predicted] + of_seeds + noise
        return (other + effect > 0) * 1.0 - (one > 0)

    block_of = blocks(splits)
    differences, second = np.empty((sets, seeds, images)), np.empty((block_of[-1], seeds, images))
    for fold in range(splits):
        own_fold = folds == fold
        for view_set in range(sets):
            differences[view_set][:, own_fold] = run([fold], view_set, own_fold)
        for row, another in enumerate(sorted(set(block_of) - {block_of[fold]})):
            left_out = np.flatnonzero(np.isin(block_of, [block_of[fold], another]))
            second[row][:, own_fold] = run(left_out, 0, own_fold)
    deviation = np.sqrt(1 + 0.36 + 0.09 + seed**2)
    wider = np.sqrt(deviation**2 + 0.09 + training**2 + views**2)
    return SplitRuns(differences, second, folds, units, norm.cdf(1.6 / wider) - norm.cdf(1.6 / deviation),
                     norm.pdf(1.6 / wider) / wider)
