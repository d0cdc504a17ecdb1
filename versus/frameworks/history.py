"""What training records of each epoch, as a Keras `History` does: the learning curves."""

import numpy as np

from versus.artifacts.heads import Trained
from versus.artifacts.predictions import Predictions


def learning_curves(trained: Trained, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Score every epoch of a training run: train_loss, validation_loss and validation_accuracy, (epochs,) each.

    The training loss is the mean of an epoch's steps, each taken before its own update. `labels` (images,) are those
    of the validation images.
    """
    probabilities = trained.probabilities.astype(float)  # (epochs, images, classes)
    probabilities /= probabilities.sum(axis=2, keepdims=True)
    epochs = len(probabilities)
    of_epochs = Predictions(tuple(range(epochs)), (), (), labels, probabilities)
    return {"train_loss": np.array([steps.mean() for steps in np.array_split(trained.losses, epochs)]),
            "validation_loss": of_epochs.log_losses.mean(axis=1),
            "validation_accuracy": of_epochs.correct.mean(axis=1)}
