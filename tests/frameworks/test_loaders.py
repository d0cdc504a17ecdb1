"""The pixel conventions that are a framework's defaults, against its own loader and augmentation: bit for bit.

But for Keras's layers: TensorFlow computes positions in float32, so pixels of 0..255 may differ by a hundredth.
"""

import numpy as np
import pytest

from tests.helpers.paths import AVP, needs_avp
from versus import params
from versus.recipe import draws, pixels
from versus.recipe.conventions import resolve_features

SIZE = 96


@pytest.fixture(params=params.ERAS)
def era(request):
    """Each era in turn."""
    return request.param


@pytest.fixture
def conventions(own, era):
    """The framework's defaults."""
    return resolve_features(params.Conventions.of("native", era=era), own.framework)


def test_pixels_equal_those_of_the_frameworks_own_loader(adapter, conventions, era, images_of_all_kinds):
    loaded = dict(adapter.own_images(images_of_all_kinds, SIZE, era))
    assert len(loaded) == 30
    for path, theirs in loaded.items():
        np.testing.assert_array_equal(pixels.read_image(path, SIZE, conventions), theirs, err_msg=path)


@needs_avp
def test_pixels_of_real_images_equal_its_too(adapter, conventions, era):
    """Five of Alien vs. Predator's are palette PNGs named .jpg, four of them of the validation part."""
    loaded = dict(adapter.own_images(AVP / "validation", 224, era))
    assert len(loaded) == 200
    for path, theirs in loaded.items():
        np.testing.assert_array_equal(pixels.read_image(path, 224, conventions), theirs, err_msg=path)


def test_augmentation_equals_the_frameworks_own(adapter, conventions, era, images_of_all_kinds):
    extract = params.load().extract.model_copy(update={"views": 1, "shear": 10.0, "zoom": 0.2, "flip": True})
    files = sorted(images_of_all_kinds.glob("*/*"))
    for path, view in zip(files, draws.views(extract, len(files))[0]):
        image = pixels.read_image(path, SIZE, conventions)
        theirs = adapter.own_augmented(image, view, era)
        bound = 0.01 if conventions.augment == "reflected" else 0
        np.testing.assert_allclose(pixels.augment(image, view, conventions.augment), theirs, rtol=0, atol=bound)


def test_views_have_the_ranges_of_the_frameworks_own(adapter, conventions, era):
    extract = params.load().extract.model_copy(update={"shear": 10.0, "zoom": 0.2, "flip": True})
    ours, theirs = draws.views(extract, 4000)[0], adapter.own_views(4000, era)
    quarters = [0, 0.25, 0.5, 0.75, 1]
    zooms = ("zoom_x", "zoom_y") if conventions.augment == "per_axis" else ("zoom_x",)  # one for both axes
    for name in ("shear", *zooms):
        np.testing.assert_allclose(np.quantile(ours[name], quarters), np.quantile(theirs[name], quarters),
                                   atol=0.05 * np.ptp(theirs[name]))
    for views in (ours, theirs):
        assert abs(views["flip"].mean() - 0.5) < 0.03


def test_swapped_conventions_would_be_seen(images_of_all_kinds):
    jpegs = [path for path in images_of_all_kinds.glob("*/*.jpg") if "palette" not in path.name]
    decoded = [(pixels.decode(path, "fast"), pixels.decode(path, "accurate")) for path in jpegs]
    assert len(decoded) == 12
    assert max(np.abs(fast.astype(int) - accurate).max() for fast, accurate in decoded) > 1
    assert all(np.abs(pixels.resize(fast, SIZE, "interpolated") - pixels.resize(fast, SIZE, "antialiased")).max() > 0.1
               for fast, _ in decoded if fast.shape[:2] != (SIZE, SIZE))
