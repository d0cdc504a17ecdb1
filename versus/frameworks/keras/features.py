"""Pixels to features in Keras: a PyDataset reads the images, the frozen backbone computes batch by batch."""

from collections.abc import Iterator
from functools import lru_cache

import versus.frameworks.keras.runtime  # noqa: F401  before keras
import keras
import numpy as np
from tqdm import tqdm

from versus.frameworks.keras.backbone import set_statistics, statistics  # noqa: F401  extraction asks for them here
from versus.recipe.pixels import ImageBatches


class Batches(keras.utils.PyDataset):
    """Batches (n, size, size, 3) of pixels, 0..255."""

    def __init__(self, images: ImageBatches):
        super().__init__()
        self.images = images

    def __len__(self) -> int:
        return len(self.images.batches)

    def __getitem__(self, index: int) -> np.ndarray:
        return self.images.pixels(index).astype(keras.config.floatx())


class Extractor(keras.Model):
    """A model that predicts, in training mode or not."""

    def __init__(self, model: keras.Model, training: bool):
        super().__init__()
        self.model, self.in_training = model, training

    def call(self, pixels):
        return self.model(pixels, training=self.in_training)


@lru_cache(maxsize=2)
def _compile(model: keras.Model, training: bool) -> Extractor:
    extractor = Extractor(model, training)
    extractor.compile(jit_compile=False)  # XLA on the CPU is ten times slower
    return extractor


def apply(model: keras.Model, images: ImageBatches, training: bool, bar: tqdm,
          out: np.ndarray | None = None) -> np.ndarray:
    """Apply the model batch by batch, in training mode or not: (files, width), in the order of the files.

    What it gives is written to `out` as it comes, or to a new array if that is None.
    """
    return images.in_order(_outputs(_compile(model, training), images, bar), out)


def _outputs(extractor: Extractor, images: ImageBatches, bar: tqdm) -> Iterator[np.ndarray]:
    """Yield what the model gives for each batch."""
    batches = Batches(images)
    for index in range(len(batches)):  # `predict` holds all that it gives in memory, and is a fifth slower
        yield extractor.predict_on_batch(pixels := batches[index])
        bar.update(len(pixels))


def received(images: ImageBatches) -> np.ndarray:
    """Return the first batch as the model receives it: (n, size, size, 3)."""
    return keras.ops.convert_to_numpy(Batches(images)[0])
