"""Near-duplicates are recognised among images that only resemble each other."""

import io
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from tests.helpers.paths import AVP, needs_avp
from versus.images.duplicates import near_duplicates, neighbours, verification

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
    "cropped": lambda image: image.crop((21, 6, image.width - 9, image.height - 14)),  # by 10 %
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


def test_a_copy_that_only_its_exif_tag_turns_upright_is_recognised(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees clockwise
    photograph(0).transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.jpg", exif=exif)
    for seed in range(3):
        photograph(seed).save(tmp_path / f"{seed}.png")
    paths = sorted(tmp_path.iterdir())
    assert groups(near_duplicates(paths).near, paths) == [["0.png", "turned.jpg"]]


def test_images_that_show_the_same_are_told_from_other_copies(tmp_path):
    for seed in range(20):
        photograph(seed).save(tmp_path / f"{seed:02}.png")
    for kind in ("re-encoded", "mirrored"):
        COPIES[kind](photograph(7)).save(tmp_path / f"{kind}.png")
    paths = sorted(tmp_path.iterdir())
    near, same = near_duplicates(paths)
    assert groups(near, paths) == [["07.png", "mirrored.png", "re-encoded.png"]]
    assert groups(same, paths) == [["07.png", "re-encoded.png"]]


def test_handwritten_digits_are_no_copies_of_each_other(tmp_path):
    ones = load_digits(n_class=2)
    for i, image in enumerate(ones.images[ones.target == 1]):
        Image.fromarray((image * 15.9).astype(np.uint8)).resize((28, 28)).save(tmp_path / f"{i:03}.png")
    paths = sorted(tmp_path.iterdir())
    assert len(paths) == 182
    assert np.bincount(near_duplicates(paths).near).max() <= 2


def test_a_face_on_the_background_of_the_others_is_no_copy(tmp_path):
    background = photograph(99, (120, 120))
    for seed in range(60):
        face = background.copy()
        face.paste(photograph(seed, (50, 60)), (35, 30))
        jpeg(face).save(tmp_path / f"{seed:02}.png")
    paths = sorted(tmp_path.iterdir())
    assert groups(near_duplicates(paths).near, paths) == []


def test_images_that_are_all_alike_are_compared_few_times(tmp_path, monkeypatch):
    for i in range(150):
        photograph(0, (64, 64)).point(lambda value: value * (0.6 + i / 400)).save(tmp_path / f"{i:03}.png")
    compared = []
    monkeypatch.setattr(verification, "compare", lambda *pair, compare=verification.compare: (
        compared.append(pair[2:]) or compare(*pair)))
    assert set(near_duplicates(sorted(tmp_path.iterdir())).near) == {0}
    assert len(compared) < 4 * 150  # of 11,175 pairs


def test_the_nearest_neighbours_are_those_of_a_search_without_blocks(monkeypatch):
    rng = np.random.default_rng(0)
    descriptors = np.rint(rng.normal(size=(400, 8)) * 900).astype(np.float32)
    monkeypatch.setattr(neighbours, "BATCH", 32)
    monkeypatch.setattr(neighbours, "BLOCK", 56)
    products = descriptors[:200].astype(int) @ descriptors.astype(int).T
    for i in range(200):
        products[i, [i, i + 200]] = 0
    expected = np.argsort(-products, axis=1, kind="stable")[:, :neighbours.NEAREST]
    expected[np.take_along_axis(products, expected, 1) <= 0.5 * neighbours.LENGTH**2] = -1
    assert np.array_equal(neighbours._nearest(descriptors, "coarse"), expected)


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
    assert len(across) == 18
    assert sum(len(group) > 1 for group in members) == 52
    assert max(map(len, members)) == 7
    assert not any("alien" in "".join(group) and "predator" in "".join(group) for group in members)
