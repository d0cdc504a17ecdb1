"""Training runs of the head on extracted features: the loop that every framework's trainer steps through."""

from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np
from tqdm import tqdm

from versus import params
from versus.artifacts.features import Features
from versus.artifacts.heads import Head, Trained
from versus.frameworks.history import score_epoch
from versus.recipe import draws
from versus.recipe.conventions import Resolved
from versus.recipe.draws import Batches


class Trainer(Protocol):
    """What `fit` needs of a framework: the head with its optimizer."""

    widths: list[int]

    def reset(self, weights: Head) -> None: ...

    def step(self, features: np.ndarray, labels: np.ndarray) -> float: ...

    def probabilities(self, features: np.ndarray) -> np.ndarray: ...

    def weights(self) -> Head: ...


def fit(trainer: Trainer, initial: Head, epochs: Iterable[Batches], features: Features, labels: np.ndarray,
        part: str = "validation", part_labels: np.ndarray | None = None) -> Trained:
    """Train one head from its `initial` weights; `epochs` has batches of rows of the (views * images) features.

    `labels` (images,) are the training images' classes. The images of `part` are classified after the last epoch. If
    their own classes are given, `part_labels` (images,), each epoch is scored for the learning curves.
    """
    rows = features.augmented.reshape(-1, features.augmented.shape[-1])  # (views * images, width)
    labels = np.tile(labels, len(features.augmented))                    # (views * images,)
    plain = features.plain[part]                                         # (passes, images, width)
    trainer.reset(initial)
    losses, scores = [], []
    for epoch, batches in enumerate(epochs):
        losses.append([trainer.step(rows[batch], labels[batch]) for batch in batches])
        # after the last view the running statistics no longer change
        after = plain[min(epoch, len(plain) - 1)]
        if part_labels is not None:
            probabilities = trainer.probabilities(after)
            scores.append(score_epoch(losses[-1], probabilities, part_labels))
    if not scores:
        probabilities = trainer.probabilities(after)
    curves = {name: np.array([of_epoch[name] for of_epoch in scores]) for name in (scores or [{}])[0]}
    return Trained(trainer.weights(), np.concatenate(losses), probabilities, curves)


def fit_seeds(trainer: Trainer, settings: params.Params, conventions: Resolved, features: Features, labels: np.ndarray,
              title: str | None, reverse: bool = False, part: str = "validation",
              even_batches: list[Batches] | None = None, part_labels: np.ndarray | None = None) -> Iterator[Trained]:
    """Train `train.seeds` heads, and yield one after the other; `title` is the progress bar's, None shows none.

    The images of `part` are classified after the last epoch, or after each one if their classes are given: see `fit`.

    With `reverse` the rows of each batch come in reverse order: the same sums in another order, so only rounding
    differs. `even_batches`: the batches of each view in which the features were computed, about equal in size; None if
    they are those of `draws.batches`.
    """
    views, images = features.augmented.shape[:2]
    for seed in tqdm(range(settings.train.seeds), desc=title, unit="seed", disable=None if title else True):
        if conventions.batch_statistics:
            epochs = draws.steps_by_batch(seed, settings.train, even_batches or draws.batches(settings.extract, images),
                                          even_batches is not None)
        else:
            epochs = draws.steps(seed, settings.train, views, images)
        if reverse:
            epochs = ([batch[::-1] for batch in batches] for batches in epochs)
        initial = draws.initial_weights(seed, trainer.widths, conventions.head_init)
        yield fit(trainer, initial, epochs, features, labels, part, part_labels)
