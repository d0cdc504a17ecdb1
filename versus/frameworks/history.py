"""What training records of each epoch, as a Keras `History` does: the learning curves."""

import numpy as np

from versus.artifacts.heads import Trained
from versus.artifacts.predictions import Predictions


def learning_curves(trained: list[Trained], labels: np.ndarray) -> dict[str, np.ndarray]:
    """Score every epoch of every seed: train_loss, validation_loss and validation_accuracy, (seeds, epochs) each.

    The training loss is the mean of an epoch's steps, each taken before its own update. `labels` (images,) are those
    of the validation images.
    """
    epochs = len(trained[0].probabilities)
    train_loss = [[steps.mean() for steps in np.array_split(one.losses, epochs)] for one in trained]
    validation_loss, validation_accuracy = [], []
    for one in trained:
        probabilities = one.probabilities.astype(float)  # (epochs, images, classes)
        probabilities /= probabilities.sum(axis=2, keepdims=True)
        of_epochs = Predictions(tuple(range(epochs)), (), (), labels, probabilities)
        validation_loss.append(of_epochs.log_losses.mean(axis=1))
        validation_accuracy.append(of_epochs.correct.mean(axis=1))
    return {"train_loss": np.array(train_loss), "validation_loss": np.array(validation_loss),
            "validation_accuracy": np.array(validation_accuracy)}
