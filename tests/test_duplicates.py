"""Near-duplicates are recognised among images that only resemble each other."""

import io
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.paths import AVP, needs_avp
from versus.images.duplicates import near_duplicates

CELLS = sorted(Path(str(files("elpv_dataset"))).glob("data/images/*.png"))


def photograph(seed, size=(300, 200)):
    """An image with structure at every scale, unlike that of any other seed."""
    rng, pixels = np.random.default_rng(seed), np.zeros((size[1], size[0], 3))
    for cells in (3, 6, 12, 25, 50):
        layer = rng.integers(0, 256, (cells, cells, 3), np.uint8)
        pixels += np.asarray(Image.fromarray(layer).resize(size, Image.Resampling.BICUBIC)) / 5
    return Image.fromarray(pixels.astype(np.uint8))


def jpeg(image, quality=75):
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(stream)


COPIES = {
    "same": lambda image: image,
    "re-encoded": jpeg,
    "resized": lambda image: jpeg(image.resize((image.width * 3 // 4, image.height * 3 // 4))),
    "squeezed": lambda image: image.resize((image.width, image.height * 4 // 5)),
    "cropped": lambda image: image.crop((10, 6, image.width - 8, image.height - 6)),
    "darker": lambda image: image.point(lambda value: value * 0.6),
    "mirrored": lambda image: jpeg(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
}


def groups(first, paths):
    """The groups of two or more as sorted lists of names."""
    members = [[path.name for path, own in zip(paths, first) if own == leader] for leader in sorted(set(first))]
    return [names for names in members if len(names) > 1]


@pytest.mark.parametrize("kind", COPIES)
def test_a_copy_is_recognised_among_other_images(tmp_path, kind):
    for seed in range(40):
        photograph(seed).save(tmp_path / f"{seed:02}.png")
    COPIES[kind](photograph(7)).save(tmp_path / "copy.png")
    paths = sorted(tmp_path.iterdir())
    assert groups(near_duplicates(paths).near, paths) == [["07.png", "copy.png"]]


def test_plain_images_are_distinguished_by_colour(tmp_path):
    for name, colour in {"red": "red", "blue": "blue", "black": "black", "blue again": "blue"}.items():
        Image.new("RGB", (40, 40), colour).save(tmp_path / f"{name}.png")
    paths = sorted(tmp_path.iterdir())
    assert groups(near_duplicates(paths).near, paths) == [["blue again.png", "blue.png"]]


def test_one_image_and_none_are_no_groups(tmp_path):
    photograph(0).save(tmp_path / "only.png")
    assert near_duplicates([tmp_path / "only.png"]).near.tolist() == [0]
    assert near_duplicates([]).near.tolist() == []


def test_photographs_of_different_solar_cells_are_not_grouped():
    assert near_duplicates(CELLS[::25]).near.tolist() == list(range(len(CELLS[::25])))
    neighbours = CELLS[1329:1369] + CELLS[::25]  # of one module, hard to distinguish
    assert np.bincount(near_duplicates(neighbours).near).max() <= 4


def test_copies_of_solar_cells_are_recognised(tmp_path):
    paths = CELLS[::25]
    for k, kind in enumerate(("same", "re-encoded", "resized")):
        COPIES[kind](Image.open(paths[30 + k])).save(tmp_path / f"{kind}.png")
    copies = sorted(tmp_path.iterdir())
    first = near_duplicates(paths + copies).near
    assert first[-3:].tolist() == [31, 32, 30]  # re-encoded, resized, same


def test_the_module_that_was_photographed_twice_is_recognised():
    paths = CELLS[1750:1780] + CELLS[2292:2322]  # cells 1751 and on, sharp, are cells 2293 and on, out of focus
    first = near_duplicates(paths).near
    assert (first[:30] == first[30:]).sum() >= 20
    assert np.bincount(first).max() <= 4


@needs_avp
def test_alien_vs_predator_has_the_copies_that_were_seen():
    paths = sorted(AVP.rglob("*.jpg"))
    first = near_duplicates(paths).near
    names = [path.relative_to(AVP).as_posix() for path in paths]
    members = [{names[i] for i in np.flatnonzero(first == leader)} for leader in sorted(set(first))]
    across = [group for group in members if len({name.split("/")[0] for name in group}) == 2]
    exact = [{"train/predator/199.jpg", "validation/predator/1.jpg"},
             {"train/predator/247.jpg", "validation/predator/58.jpg"}]
    cropped = [{"train/alien/57.jpg", "validation/alien/49.jpg"}, {"train/alien/156.jpg", "validation/alien/22.jpg"}]
    mirrored = [{"train/predator/239.jpg", "validation/predator/14.jpg"}]
    assert all(group in across for group in exact + cropped + mirrored)
    assert len(across) == 13
    assert sum(len(group) > 1 for group in members) == 44
    assert max(map(len, members)) == 6
    assert not any("alien" in "".join(group) and "predator" in "".join(group) for group in members)
