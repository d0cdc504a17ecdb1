"""What training records of each epoch, as a Keras `History` does: the learning curves."""

from collections.abc import Sequence

import numpy as np

from versus.artifacts.predictions import Predictions


def score_epoch(losses: Sequence[float], probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Score an epoch of a training run: train_loss, validation_loss and validation_accuracy.

    The training loss is the mean of the `losses` of the epoch's steps, each taken before its own update.
    `probabilities` (images, classes) and `labels` (images,) are those of the validation images after the last one.
    """
    probabilities = probabilities.astype(float)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    after = Predictions((0,), (), (), labels, probabilities[None])
    return {"train_loss": float(np.mean(losses)), "validation_loss": float(after.log_losses.mean()),
            "validation_accuracy": float(after.correct.mean())}
