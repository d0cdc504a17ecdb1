"""Augmentation by PyTorch's convention, on images that are not of whole pixel values"""

import numpy as np

from versus.recipe import pixels


def test_floats_are_transformed_as_whole_pixel_values_are(images_of_all_kinds):
    """A nearest pixel is chosen by geometry alone: floats, of Keras's resize, land where their rounded values would."""
    view = {"shear": 7.0, "zoom_x": 0.9, "zoom_y": 1.0, "flip": True}
    for path in sorted(images_of_all_kinds.glob("*/*"))[:6]:
        image = pixels.resize(pixels.decode(path, "fast"), 96, "interpolated")
        transformed = pixels.augment(image, view, "uniform")
        np.testing.assert_array_equal(pixels.augment(image.round(), view, "uniform"), transformed.round())
