"""The pixel conventions that are a framework's defaults, against its own loader and augmentation: bit for bit."""

import numpy as np
import pytest

from tests.helpers.paths import AVP, needs_avp
from versus import params
from versus.recipe import draws, pixels
from versus.recipe.conventions import resolve_features

SIZE = 96


@pytest.fixture
def conventions(own):
    """The framework's defaults."""
    return resolve_features(params.Conventions.of("native"), own.framework)


def test_pixels_equal_those_of_the_frameworks_own_loader(adapter, conventions, images_of_all_kinds):
    loaded = dict(adapter.own_images(images_of_all_kinds, SIZE))
    assert len(loaded) == 30
    for path, theirs in loaded.items():
        np.testing.assert_array_equal(pixels.read_image(path, SIZE, conventions), theirs, err_msg=path)


@needs_avp
def test_pixels_of_real_images_equal_its_too(adapter, conventions):
    """Five of Alien vs. Predator's are palette PNGs named .jpg, four of them of the validation part."""
    loaded = dict(adapter.own_images(AVP / "validation", 224))
    assert len(loaded) == 200
    for path, theirs in loaded.items():
        np.testing.assert_array_equal(pixels.read_image(path, 224, conventions), theirs, err_msg=path)


def test_augmentation_equals_the_frameworks_own(adapter, conventions, images_of_all_kinds):
    extract = params.load().extract.model_copy(update={"views": 1, "shear": 10.0, "zoom": 0.2, "flip": True})
    files = sorted(images_of_all_kinds.glob("*/*"))
    for path, view in zip(files, draws.views(extract, len(files))[0]):
        image = pixels.read_image(path, SIZE, conventions)
        theirs = adapter.own_augmented(image, view)
        np.testing.assert_array_equal(pixels.augment(image, view, conventions.augment), theirs)


def test_views_have_the_ranges_of_the_frameworks_own(adapter):
    extract = params.load().extract.model_copy(update={"shear": 10.0, "zoom": 0.2, "flip": True})
    ours, theirs = draws.views(extract, 4000)[0], adapter.own_views(4000)
    quarters = [0, 0.25, 0.5, 0.75, 1]
    for name in ("shear", "zoom_x", "zoom_y"):
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
