"""The features that extraction keeps for training: what they must be, where they lie, and what is read back."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from tqdm import tqdm

CONVENTIONS = ("decode", "resize", "augment", "batch_norm")  # that features depend on
SAMPLE = 8  # images of each part whose pixels are kept for a comparison
STRIDE = 32  # pixels of the image to one of the last feature map, rounded up, in both backbones


class FeaturesError(ValueError):
    """Features that cannot be made of these images, or that are no numbers."""


@dataclass
class Features:
    """Features of the views and, in order of the views, what batch norm in training mode changed.

    train: (images, width) for each view. validation: (images, width) once, or after each view where the running
    statistics moved. statistics: those after each view, by PyTorch's name; empty where they did not move.
    pixels: of the first images as the framework received them, (images, size, size, 3), for a comparison.
    """

    train: list = field(default_factory=list)
    validation: list = field(default_factory=list)
    statistics: list = field(default_factory=list)
    pixels: np.ndarray | None = None

    def statistics_after(self, epochs):
        """The running statistics after so many views, one for each epoch, the last from there on; {} if none moved.

        Trainings draw the view of each epoch at random (`draws.steps_by_batch`), but share the statistics of one pass.
        """
        return self.statistics[min(epochs, len(self.statistics)) - 1] if self.statistics else {}


def in_order(images, batch):
    """Count `images` images out in batches: a list of arrays of indices, the last of which may be short."""
    return np.split(np.arange(images), range(batch, images, batch))


def check_batches(params, batch_norm, images):
    """Raise FeaturesError where the last batch is a single image and its last feature map a single pixel.

    Batch norm in training mode would have one value a channel, which has no variance.
    """
    size, batch = params.model.image_size, params.extract.batch
    if batch_norm == "batch" and size <= STRIDE and images % batch == 1:
        raise FeaturesError(f"model.image_size: got {size} with an extract.batch of {batch}, which leaves one of the "
                            f"{images} training images to the last batch: too few pixels for batch norm in training "
                            f"mode to have a variance; expected a model.image_size above {STRIDE}: raise it, or change "
                            "extract.batch and train.batch")


def check_finite(features):
    """Return the `Features`; raise FeaturesError unless they and the statistics are finite."""
    parts = {"training features": features.train, "validation features": features.validation,
             "running statistics": [values for after in features.statistics for values in after.values()]}
    for name, arrays in parts.items():
        if not all(np.isfinite(array).all() for array in arrays):
            raise FeaturesError(f"got {name} that are not finite; expected finite numbers: look for huge values "
                                "and for variances below zero in the weights that model.weights names")
    return features


def save(features, folder):
    """Write train.npy (views, images, width), validation.npy (1 or views, images, width), pixels, statistics."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "train.npy", np.stack(features.train))
    np.save(folder / "validation.npy", np.stack(features.validation))
    np.save(folder / "pixels.npy", features.pixels)
    names = features.statistics[0] if features.statistics else {}
    save_file({name: np.stack([after[name] for after in features.statistics]) for name in names},
              folder / "statistics.safetensors")


def read(folder):
    """Read what `save` wrote: memory-mapped arrays (views, images, width); statistics (views, channels)."""
    folder = Path(folder)
    statistics = load_file(folder / "statistics.safetensors")
    train, validation, pixels = (np.load(folder / f"{part}.npy", mmap_mode="r")
                                 for part in ("train", "validation", "pixels"))
    moves = [{name: values[view] for name, values in statistics.items()} for view in range(len(train))]
    return Features(train, validation, moves if statistics else [], pixels)


def progress(train, validation, moving, label):
    """Make a progress bar that counts the images of all passes."""
    total = sum(len(images.files) for images in train) + len(validation.files) * (len(train) if moving else 1)
    return tqdm(total=total, desc=label, unit="image", disable=None)
