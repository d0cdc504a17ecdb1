"""The features that extraction keeps for training: where they lie, and what is read back."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from tqdm import tqdm

SAMPLE = 8  # images of each part whose pixels are kept for a comparison


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
        """The running statistics after so many epochs, of which each made one view; {} where they did not move."""
        return self.statistics[min(epochs, len(self.statistics)) - 1] if self.statistics else {}


def in_order(images, batch):
    """Count `images` images out in batches: a list of arrays of indices, the last of which may be short."""
    return np.split(np.arange(images), range(batch, images, batch))


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
