"""One training image as both competitors prepare it."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.cases import photo, save
from tests.helpers.paths import ROOT
from tests.helpers.stages import run_stage
from versus import params
from versus.frameworks import COMPETITORS
from versus.recipe import draws, pixels
from versus.report import sheet, views
from versus.report.sheet import LIMIT


@pytest.fixture
def folder(tmp_path):
    """A folder with params.yaml and three training images."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    for number in range(3):
        save(photo(number, (301, 199)), tmp_path / f"data/split/train/ö/{number}.jpg", quality=80)
    return tmp_path


@pytest.mark.parametrize("era, everything, size", [("today", "native", 224), ("2018", "native", 32),
                                                   ("today", "torch", 700)])
def test_views_have_the_same_bytes_each_time(folder, era, everything, size):
    settings = (folder / "params.yaml").read_text()
    for old, new in (("era: today", f"era: {era}"), ("all: native", f"all: {everything}"), ("image_size: 224",
                                                                                        f"image_size: {size}")):
        assert old in settings
        settings = settings.replace(old, new, 1)
    (folder / "params.yaml").write_text(settings)
    written = []
    for _ in range(2):
        done = run_stage("views", folder, "keras", "torch")
        assert done.returncode == 0 and not done.stderr, done.stderr
        written.append(Path(folder, "metrics/views.png").read_bytes())
    assert written[0] == written[1] and len(written[0]) < LIMIT


def prepared(conventions):
    """How Keras and PyTorch prepare images under a section of params.yaml."""
    return tuple(views.Preparation(each.title, *(each.default(conventions, name)
                                                 for name in ("decode", "resize", "augment")))
                 for each in (COMPETITORS["keras"], COMPETITORS["torch"]))


class Recorded:
    """In place of a sheet's methods: remembers what is written and laid."""

    def __init__(self, monkeypatch):
        self.lines, self.images = [], []
        monkeypatch.setattr(sheet.Sheet, "write", lambda page, text, *how, **more: self.lines.append(text))
        monkeypatch.setattr(sheet.Sheet, "lay", lambda page, image, x, y: self.images.append(image))


@pytest.mark.parametrize("everything", ["native", "keras"])
def test_differences_are_magnified_twentyfold(tmp_path, monkeypatch, everything):
    path = save(photo(1, (301, 199)), tmp_path / "train/a/0.jpg", quality=60)
    conventions, settings = params.Conventions.of(everything), params.load(ROOT / "params.yaml").extract
    drawn = draws.views(settings.model_copy(update={"views": views.VIEWS}), 1)[:, 0]
    recorded = Recorded(monkeypatch)
    views.draw(path, drawn, settings.views, 64, both := prepared(conventions))
    one, other = (pixels.read_image(path, 64, pixels.PixelConventions(each.decode.value, each.resize.value))
                  for each in both)
    assert len(recorded.images) == 5 + 2 * views.VIEWS
    difference = np.clip(np.rint(128 + 20 * (other - one)), 0, 255).repeat(3, axis=0).repeat(3, axis=1)
    assert np.array_equal(recorded.images[4], difference)
    assert recorded.lines.count("no difference") == (3 if everything == "keras" else 0)
    assert (set(np.unique(difference)) == {128}) == (everything == "keras")
    said = [line for line in recorded.lines if re.match(r"differ by", line)]
    assert len(said) == (0 if everything == "keras" else 3)
    for views_of, image, preparation in ((recorded.images[5:14], one, both[0]), (recorded.images[14:], other, both[1])):
        for shown, view in zip(views_of, drawn, strict=True):
            augmented = np.clip(np.rint(pixels.augment(image, view, preparation.augment.value)), 0, 255)
            assert np.array_equal(shown, augmented.repeat(2, axis=0).repeat(2, axis=1))


def test_the_first_views_are_those_of_training():
    settings = params.load(ROOT / "params.yaml").extract
    drawn = draws.views(settings.model_copy(update={"views": views.VIEWS}), 50)
    assert np.array_equal(drawn[:settings.views], draws.views(settings, 50))
