"""Fixtures and options that tests share.

`pytest` runs all tests that load no framework; `pytest tests/frameworks --competitor keras` runs the contract that
every competitor has to fulfil, and what its framework alone has, in a process of its own: two frameworks in one crash.
"""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.cases import photo, save
from tests.helpers.paths import AVP
from tests.helpers.processes import run
from tests.helpers.sources import fetch, settings
from versus.frameworks import COMPETITORS

CONTRACT = Path(__file__).parent / "frameworks"


def pytest_addoption(parser):
    parser.addoption("--competitor", choices=list(COMPETITORS), help="whose contract tests are run")


def pytest_ignore_collect(collection_path, config):
    """Leave out the contract unless a competitor is named, and then the files test_<framework>_* of other ones."""
    if CONTRACT not in (collection_path, *collection_path.parents):
        return None
    name = config.getoption("--competitor")
    if name is None:
        return True
    others = {competitor.framework for competitor in COMPETITORS.values()} - {COMPETITORS[name].framework}
    return True if any(collection_path.name.startswith(f"test_{other}_") for other in others) else None


def smooth_image(seed, size):
    """Draw an image of smooth random colours: `size` is (width, height)."""
    noise = np.random.default_rng(seed).integers(0, 256, (9, 12, 3), np.uint8)
    return Image.fromarray(noise).resize(size, Image.Resampling.BICUBIC)


@pytest.fixture(scope="session")
def images_of_all_kinds(tmp_path_factory):
    """Two classes a and b of images: JPEG, grey JPEG, PNG, palette PNG named .jpg, RGBA PNG, small and large ones."""
    root = tmp_path_factory.mktemp("images")
    for name in ("a", "b"):
        (root / name).mkdir()
    for number, size in enumerate([(150, 250), (301, 199), (31, 40), (96, 96), (97, 640), (224, 225)]):
        image = smooth_image(number, size)
        image.save(root / "a" / f"{number}.jpg", quality=60 + 6 * number)
        image.convert("L").save(root / "b" / f"{number}grey.jpg")
        image.save(root / "a" / f"{number}.png")
        image.quantize(64).save(root / "b" / f"{number}palette.jpg", format="PNG")
        image.convert("RGBA").save(root / "b" / f"{number}.png")
    return root


@pytest.fixture(scope="session")
def photographs(tmp_path_factory):
    """24 JPEG images of two classes in various sizes, as <class>/*: real ones where they are."""
    folder = tmp_path_factory.mktemp("photographs")
    for name in ("alien", "predator"):
        (folder / name).mkdir()
        for number in range(12):
            if AVP.is_dir():
                (folder / name / f"{number}.jpg").write_bytes((AVP / "train" / name / f"{number}.jpg").read_bytes())
            else:
                seed = [number, name == "alien"]
                smooth_image(seed, (150 + number, 250 - number)).save(folder / name / f"{number}.jpg")
    return folder


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """A folder of two drawn classes with four images each: class_00 and class_01."""
    top = tmp_path_factory.mktemp("drawn") / "images"
    fetch(settings(source="synthetic"), top)
    return top


@pytest.fixture(scope="session")
def saved_classifiers(tmp_path_factory):
    """A folder with a small classifier of each framework, what each says of six images in <framework>.npy; the images.

    See `helpers/save_classifier.py`.
    """
    folder = tmp_path_factory.mktemp("saved")
    images = [save(photo(number, (90 + number, 70)), folder / f"plain/{number}.jpg", quality=95) for number in range(6)]
    for framework in ("torch", "keras"):
        run("save_classifier", framework, folder / "models", *images)
    return folder / "models", images
