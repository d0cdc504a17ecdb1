"""The published comparison that this project repeats.

Piotr Migdał and Rafał Jakubanis, 'Keras vs. PyTorch: Alien vs. Predator recognition with transfer learning', 2018:
one unseeded training run each, 200 validation images.
"""

import numpy as np

from versus.artifacts.predictions import Predictions

ACCURACY = {"keras": 0.885, "torch": 0.920}
DIFFERENCE = ACCURACY["torch"] - ACCURACY["keras"]
IMAGES = {"alien": 100, "predator": 100}  # for validation


def has_images_of(predictions: Predictions) -> bool:
    """Say whether the predictions are for the article's validation images: by their classes and numbers."""
    numbers = np.bincount(predictions.labels, minlength=len(predictions.class_names))
    return dict(zip(predictions.class_names, map(int, numbers))) == IMAGES
