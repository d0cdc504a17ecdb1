"""Training runs on several splits: each fold in turn is left out and predicted by heads trained on all others.

Features are computed once for all splits. Batch norm in training mode makes a feature depend on its whole batch, so a
batch holds images of one fold only: then every training set consists of whole batches, and nothing of the images left
out is in its features. The stored statistics, with which those are predicted, are those of the training set's batches.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product
from types import ModuleType

import numpy as np
from tqdm import tqdm

from versus import params
from versus.artifacts.features import Features, Statistics, check_finite
from versus.artifacts.splits import BLOCKS, blocks
from versus.frameworks.extraction import Backbones, check_batches
from versus.frameworks.training import Trainer, fit_seeds
from versus.images.folds import Pool
from versus.recipe import draws
from versus.recipe.conventions import Resolved
from versus.recipe.draws import Batches
from versus.recipe.pixels import ImageBatches

VIEW_SETS = 3  # sets of `extract.views` views each, so that their variance can be told


@dataclass(frozen=True)
class View:
    """One view of all images, by fold. augmented: their features, (images, width). batches: indices into the images.

    statistics: what the batches of a fold add to the running statistics; empty where these do not change.
    """

    augmented: list[np.ndarray]
    batches: list[Batches]
    statistics: list[Statistics]


class FoldFeatures:
    """Compute the features of the images of `pool`.

    maker, own: the framework's modules `backbone` and `features`. Where batch norm updates its running statistics,
    the plain features depend on the split, and are computed for each; `title` is the progress bar's of all others.
    """

    def __init__(self, maker: ModuleType, own: ModuleType, backbones: Backbones, pool: Pool, settings: params.Params,
                 conventions: Resolved, title: str | None):
        self.maker, self.own, self.backbones = maker, own, backbones
        self.pool, self.settings, self.conventions = pool, settings, conventions
        self.updating = conventions.batch_norm == "batch"
        self.stored: Statistics = maker.statistics(backbones.plain)
        total = len(pool.files) * (VIEW_SETS * settings.extract.views + (not self.updating))
        with tqdm(total=total, desc=title, unit="image", disable=None if title else True) as bar:
            self.sets = [self._view_set(number, bar) for number in range(VIEW_SETS)]
            self.plain = [] if self.updating else [self._plain(fold, bar) for fold in range(pool.splits)]
        self.decay = maker.decay(backbones.plain)

    @property
    def width(self) -> int:
        """The number of features of an image."""
        return self.sets[0][0].augmented[0].shape[1]

    def _view_set(self, number: int, bar: tqdm) -> list[View]:
        """Compute the features of one set of views, as `extract.seed` + number draws them."""
        extract = self.settings.extract.model_copy(update={"seed": self.settings.extract.seed + number})
        records = draws.views(extract, len(self.pool.files))
        views = []
        for record, batches in zip(records, draws.batches_of_folds(extract, self.pool.folds)):
            check_batches(self.settings, self.conventions.batch_statistics, batches)
            augmented: list[np.ndarray] = []
            statistics = []
            for fold, of_fold in enumerate(batches):
                self._start_from(0.0)
                augmented.append(self._augmented(fold, of_fold, record, bar))
                statistics.append(self.maker.statistics(self.backbones.views) if self.updating else {})
            views.append(View(augmented, batches, statistics))
        return views

    def _augmented(self, fold: int, batches: Batches, records: np.ndarray, bar: tqdm) -> np.ndarray:
        """Compute the features of a fold's images in `batches`, augmented as `records` say of all images."""
        members = self.pool.members(fold)[np.sort(np.concatenate(batches))]
        images = ImageBatches([self.pool.files[image] for image in members], batches, self.settings.model.image_size,
                              self.conventions.pixels, records[members], self.conventions.augment,
                              self.settings.compute.threads)
        return self.own.apply(self.backbones.views, images, self.conventions.batch_statistics, bar)

    def _plain(self, fold: int, bar: tqdm) -> np.ndarray:
        """Compute the features of a fold's images as they are: (images, width)."""
        files = [self.pool.files[image] for image in self.pool.members(fold)]
        images = ImageBatches(files, draws.in_order(len(files), self.settings.extract.batch),
                              self.settings.model.image_size, self.conventions.pixels,
                              threads=self.settings.compute.threads)
        return self.own.apply(self.backbones.plain, images, False, bar)

    def _start_from(self, value: float) -> None:
        """Set all running statistics to `value`, if they change."""
        if self.updating:
            constant = {name: np.full_like(tensor, value) for name, tensor in self.stored.items()}
            self.maker.set_statistics(self.backbones.views, constant)

    def statistics(self, number: int, left_out: Sequence[int]) -> Statistics:
        """Return the running statistics after training on all folds but those `left_out`, in the views of one set.

        A batch changes them from r to decay * r + what it adds itself, whatever came before it.
        """
        running = self.stored
        for view in self.sets[number][:self.settings.train.epochs]:
            for fold, added in enumerate(view.statistics):
                if fold not in left_out:
                    batches = len(view.batches[fold])
                    running = {name: self.decay ** batches * running[name] + added[name] for name in running}
        return running

    def of_split(self, number: int, left_out: Sequence[int]) -> tuple[Features, list[Batches]]:
        """Return the features of a split without the folds `left_out`, which validate, and the batches of each view.

        Images are those of `Pool.members` of all other folds, and of the folds left out, one after the other.
        """
        if self.updating:
            self.maker.set_statistics(self.backbones.plain, self.statistics(number, left_out))
        with tqdm(disable=True) as bar:
            plain = [self._plain(fold, bar) if self.updating else self.plain[fold] for fold in left_out]
        trained = [fold for fold in range(self.pool.splits) if fold not in left_out]
        starts = np.cumsum([0] + [len(self.pool.members(fold)) for fold in trained])
        views = self.sets[number]
        augmented = np.stack([np.concatenate([view.augmented[fold] for fold in trained]) for view in views])
        batches = [[start + batch for fold, start in zip(trained, starts) for batch in view.batches[fold]]
                   for view in views]
        return check_finite(Features(augmented, {"validation": np.concatenate(plain)[None]})), batches


def fit_folds(trainer: Trainer, features: FoldFeatures, title: str | None) -> tuple[np.ndarray, np.ndarray]:
    """Train heads without each fold, in each set of views, and without each two blocks; predict the images left out.

    Returns the predicted classes, (sets of views, seeds, images) and (blocks - 1, seeds, images) int16: see
    `SplitPredictions`.
    """
    pool, seeds = features.pool, features.settings.train.seeds
    predicted = np.empty((VIEW_SETS, seeds, len(pool.files)), np.int16)
    folds_of_block: list[list[int]] = [[] for _ in range(min(pool.splits, BLOCKS))]
    for fold, block in enumerate(blocks(pool.splits)):
        folds_of_block[block].append(fold)
    without_second = np.empty((len(folds_of_block) - 1, seeds, len(pool.files)), np.int16)
    pairs = list(combinations(range(len(folds_of_block)), 2))
    with tqdm(total=VIEW_SETS * pool.splits + len(pairs), desc=title, unit="split",
              disable=None if title else True) as bar:
        for number, fold in product(range(VIEW_SETS), range(pool.splits)):
            predicted[number][:, pool.members(fold)] = _predict_left_out(trainer, features, number, [fold])[fold]
            bar.update()
        for one, other in pairs:
            of_folds = _predict_left_out(trainer, features, 0, folds_of_block[one] + folds_of_block[other])
            for fold, of_images in of_folds.items():
                row = other - 1 if fold in folds_of_block[one] else one
                without_second[row][:, pool.members(fold)] = of_images
            bar.update()
    return predicted, without_second


def _predict_left_out(trainer: Trainer, features: FoldFeatures, number: int,
                      left_out: list[int]) -> dict[int, np.ndarray]:
    """Train on all folds but those `left_out`; return the classes of each one's images, (seeds, images) by fold."""
    pool = features.pool
    of_split, batches = features.of_split(number, left_out)
    labels = np.concatenate([pool.labels[pool.members(fold)] for fold in range(pool.splits) if fold not in left_out])
    trained = fit_seeds(trainer, features.settings, features.conventions, of_split, labels, None, even_batches=batches)
    predicted = np.stack([one.probabilities.argmax(axis=1) for one in trained])
    ends = np.cumsum([len(pool.members(fold)) for fold in left_out])
    return dict(zip(left_out, np.split(predicted, ends[:-1], axis=1)))
