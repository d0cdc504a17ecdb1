"""Augmentation by PyTorch's convention, on images that are not of whole pixel values; and loading in little memory."""

import numpy as np
import pytest

from versus.frameworks.torch import features
from versus.recipe import pixels
from versus.recipe.pixels import ImageBatches


def test_floats_are_transformed_as_whole_pixel_values_are(images_of_all_kinds):
    """A nearest pixel is chosen by geometry alone: floats, of Keras's resize, land where their rounded values would."""
    view = {"shear": 7.0, "zoom_x": 0.9, "zoom_y": 1.0, "flip": True}
    for path in sorted(images_of_all_kinds.glob("*/*"))[:6]:
        image = pixels.resize(pixels.decode(path, "fast"), 96, "interpolated")
        transformed = pixels.augment(image, view, "uniform")
        np.testing.assert_array_equal(pixels.augment(image.round(), view, "uniform"), transformed.round())


@pytest.mark.parametrize("free, workers", [(60 * 2**20, 0), (100 * 2**20, 1)])
def test_batches_are_read_without_a_worker_where_shared_memory_is_small(monkeypatch, free, workers):
    """Four batches of 32 images of 224 by 224 pixels take 77 MB; a worker that finds no room dies of a bus error."""
    monkeypatch.setattr(features.shutil, "disk_usage", lambda _: type("Usage", (), {"free": free}))
    images = ImageBatches([None] * 40, [np.arange(32), np.arange(8)], 224, None)
    assert features._workers(images) == workers
