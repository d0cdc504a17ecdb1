"""The features that extraction hands to training: their shapes, and the files that hold them."""

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

Statistics = dict[str, np.ndarray]  # batch norm's running means and variances by PyTorch's name, (channels,) each


class FeaturesError(ValueError):
    """Features that cannot be computed from these images, or that are not finite."""


@dataclass
class Features:
    """The frozen backbone's features of all images.

    augmented: of the training images, (views, images, width). plain: of the images as they are, by part,
    (passes, images, width): one pass, or one after each view where batch norm's running statistics changed.
    statistics: the running statistics after each view; empty where they did not change. pixels: of the first images
    as the framework received them, (images, size, size, 3), for a comparison; empty in the feature cache.
    """

    augmented: np.ndarray
    plain: dict[str, np.ndarray]
    statistics: list[Statistics] = field(default_factory=list)
    pixels: np.ndarray = field(default_factory=lambda: np.empty(0))

    def statistics_after(self, epochs: int) -> Statistics:
        """Return the running statistics to save after training for `epochs`; {} if batch norm was frozen.

        Extraction updates them once per view, so later epochs repeat the last ones. Training runs draw the view of
        each epoch at random (`draws.steps_by_batch`), but share the statistics of one pass.
        """
        return self.statistics[min(epochs, len(self.statistics)) - 1] if self.statistics else {}

    def last_pass(self, epochs: int) -> "Features":
        """Return these with the plain features alone that training for `epochs` ends with."""
        last = {part: values[[min(epochs, len(values)) - 1]] for part, values in self.plain.items()}
        return replace(self, plain=last)


def check_finite(features: Features) -> Features:
    """Return `features`; raise FeaturesError unless they and the statistics are finite."""
    arrays = {"training features": [features.augmented]}
    arrays |= {f"{part} features": [values] for part, values in features.plain.items()}
    arrays["running statistics"] = [values for after in features.statistics for values in after.values()]
    for name, values in arrays.items():
        if not all(np.isfinite(each).all() for each in values):
            raise FeaturesError(f"got {name} that are not finite; expected finite numbers: look for huge values "
                                "in the weights that model.weights names")
    return features


class Store:
    """Memory, in which extraction puts features as they come."""

    def array(self, name: str, shape: tuple[int, ...], precision: str) -> np.ndarray:
        """Return a new array to be filled."""
        return np.empty(shape, precision)


class Folder(Store):
    """A folder, in which extraction puts features as they come: it is there once it is complete."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        self.unfinished = self.path.with_name(f".{self.path.name}.unfinished")
        shutil.rmtree(self.unfinished, ignore_errors=True)
        self.unfinished.mkdir(parents=True)

    def array(self, name: str, shape: tuple[int, ...], precision: str) -> np.ndarray:
        """Return a new array to be filled, memory-mapped to a file."""
        return np.lib.format.open_memmap(self.unfinished / f"{name}.npy", "w+", precision, shape)

    def complete(self, features: Features) -> None:
        """Write what is not in the arrays, pixels.npy and statistics.safetensors, and give the folder its name."""
        np.save(self.unfinished / "pixels.npy", features.pixels)
        names = features.statistics[0] if features.statistics else {}
        save_file({name: np.stack([after[name] for after in features.statistics]) for name in names},
                  self.unfinished / "statistics.safetensors")
        shutil.rmtree(self.path, ignore_errors=True)
        self.unfinished.rename(self.path)


MEMORY = Store()


def read(folder: str | Path) -> Features:
    """Read a complete `Folder`: <part>.npy has the plain features; they are memory-mapped."""
    folder = Path(folder)
    arrays = {path.stem: np.load(path, mmap_mode="r") for path in sorted(folder.glob("*.npy"))}
    augmented, pixels = arrays.pop("augmented"), arrays.pop("pixels")
    statistics = load_file(folder / "statistics.safetensors")
    after_each = [{name: values[view] for name, values in statistics.items()} for view in range(len(augmented))]
    return Features(augmented, arrays, after_each if statistics else [], pixels)
