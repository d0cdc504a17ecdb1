import io
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from versus.images.inspection import COLUMNS, LayoutError, inspect, near_duplicates

AVP = Path(__file__).parents[2] / "shared" / "avp"
CELLS = sorted(Path(str(files("elpv_dataset"))).glob("data/images/*.png"))
needs_avp = pytest.mark.skipif(not AVP.is_dir(), reason=f"no Alien vs. Predator images in {AVP}")


def photograph(seed, size=(300, 200)):
    """A picture with structure at every scale, unlike that of any other seed."""
    rng, picture = np.random.default_rng(seed), np.zeros((size[1], size[0], 3))
    for cells in (3, 6, 12, 25, 50):
        layer = rng.integers(0, 256, (cells, cells, 3), np.uint8)
        picture += np.asarray(Image.fromarray(layer).resize(size, Image.Resampling.BICUBIC)) / 5
    return Image.fromarray(picture.astype(np.uint8))


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
    "darker": lambda image: image.point(lambda level: level * 0.6),
    "mirrored": lambda image: jpeg(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)),
}


def groups(first, paths):
    """The groups of two or more as sorted lists of names."""
    members = [[path.name for path, own in zip(paths, first) if own == leader] for leader in sorted(set(first))]
    return [names for names in members if len(names) > 1]


@pytest.fixture
def folder(tmp_path):
    for part, name in (("train", "a"), ("train", "b"), ("validation", "a"), ("validation", "b")):
        (tmp_path / part / name).mkdir(parents=True)
        photograph(0).save(tmp_path / part / name / "1.png")
    return tmp_path


def test_inspect_describes_each_file_and_says_what_is_wrong(folder):
    good = (folder / "train/a/1.png").read_bytes()
    spoilt = {"empty.png": b"", "text.jpg": b"no picture", "cut.png": good[: len(good) // 2],
              "document.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 20\n"}
    for name, content in spoilt.items():
        (folder / "train/b" / name).write_bytes(content)
    Image.new("RGB", (7, 90)).save(folder / "train/b/small.png")
    Image.fromarray(np.zeros((20, 20), np.uint16)).save(folder / "train/b/deep.png")
    table = inspect(folder).set_index("file")
    assert tuple(table.reset_index().columns) == COLUMNS
    assert list(table.index) == sorted(table.index)
    assert table.loc["train/a/1.png"].drop("sha256").to_dict() == {
        "class": "a", "published": "train", "width": 300, "height": 200, "mode": "RGB", "format": "PNG", "problem": ""}
    problems = table.problem[table.problem != ""]
    assert set(problems.index) == {f"train/b/{name}" for name in [*spoilt, "small.png", "deep.png"]}
    reasons = {"empty": "empty file", "small": "too small: 7x90", "cut": "truncated", "text": "cannot be decoded",
               "document": "none of JPEG, PNG", "deep": "deeper than 8 bits"}
    for name, words in reasons.items():
        assert words in problems[problems.index.str.contains(f"/{name}")].item()
    assert inspect(folder).equals(inspect(folder))


def test_inspect_refuses_decompression_bombs(folder, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40_000)
    assert set(inspect(folder).problem) == {"too large: more than 40000 pixels"}  # 60,000 of 40,000: Pillow only warns
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20_000)
    assert set(inspect(folder).problem) == {"too large: more than 20000 pixels"}


def test_inspect_understands_folders_without_parts(tmp_path):
    for name in ("train", "plane"):  # classes that happen to be called like a part are classes
        (tmp_path / name).mkdir()
        photograph(1).save(tmp_path / name / "x.png")
    table = inspect(tmp_path)
    assert table["class"].tolist() == ["plane", "train"]
    assert set(table.published) == {""}


@pytest.mark.parametrize("stray", ["x.png", "test/a/x.png", "train/a/deeper/x.png"])
def test_inspect_refuses_other_layouts(folder, stray):
    (folder / stray).parent.mkdir(parents=True, exist_ok=True)
    photograph(1).save(folder / stray)
    with pytest.raises(LayoutError, match=f"got the file '{stray}'; expected <class>/<name>"):
        inspect(folder)


def test_inspect_refuses_an_empty_folder(tmp_path):
    with pytest.raises(LayoutError, match="holds no file"):
        inspect(tmp_path)


@pytest.mark.parametrize("kind", COPIES)
def test_copies_are_found_among_other_pictures(tmp_path, kind):
    for seed in range(40):
        photograph(seed).save(tmp_path / f"{seed:02}.png")
    COPIES[kind](photograph(7)).save(tmp_path / "copy.png")
    paths = sorted(tmp_path.iterdir())
    assert groups(near_duplicates(paths), paths) == [["07.png", "copy.png"]]


def test_plain_pictures_are_told_by_colour(tmp_path):
    for name, colour in {"red": "red", "blue": "blue", "black": "black", "blue again": "blue"}.items():
        Image.new("RGB", (40, 40), colour).save(tmp_path / f"{name}.png")
    paths = sorted(tmp_path.iterdir())
    assert groups(near_duplicates(paths), paths) == [["blue again.png", "blue.png"]]


def test_one_image_and_none_are_no_groups(tmp_path):
    photograph(0).save(tmp_path / "only.png")
    assert near_duplicates([tmp_path / "only.png"]).tolist() == [0]
    assert near_duplicates([]).tolist() == []


def test_photographs_of_solar_cells_are_not_thrown_together():
    assert near_duplicates(CELLS[::25]).tolist() == list(range(len(CELLS[::25])))
    neighbours = CELLS[1329:1369] + CELLS[::25]  # of one module, hard to tell from each other
    assert np.bincount(near_duplicates(neighbours)).max() <= 4


def test_copies_of_solar_cells_are_found(tmp_path):
    paths = CELLS[::25]
    for k, kind in enumerate(("same", "re-encoded", "resized")):
        COPIES[kind](Image.open(paths[30 + k])).save(tmp_path / f"{kind}.png")
    copies = sorted(tmp_path.iterdir())
    first = near_duplicates(paths + copies)
    assert first[-3:].tolist() == [31, 32, 30]  # re-encoded, resized, same


def test_the_module_that_was_photographed_twice_is_recognised():
    paths = CELLS[1750:1780] + CELLS[2292:2322]  # cells 1751 and on, sharp, are cells 2293 and on, out of focus
    first = near_duplicates(paths)
    assert (first[:30] == first[30:]).sum() >= 20
    assert np.bincount(first).max() <= 4


@needs_avp
def test_alien_vs_predator_has_the_copies_that_were_seen():
    paths = sorted(AVP.rglob("*.jpg"))
    first = near_duplicates(paths)
    names = [path.relative_to(AVP).as_posix() for path in paths]
    found = [{names[i] for i in np.flatnonzero(first == leader)} for leader in sorted(set(first))]
    across = [group for group in found if len({name.split("/")[0] for name in group}) == 2]
    exact = [{"train/predator/199.jpg", "validation/predator/1.jpg"},
             {"train/predator/247.jpg", "validation/predator/58.jpg"}]
    cropped = [{"train/alien/57.jpg", "validation/alien/49.jpg"}, {"train/alien/156.jpg", "validation/alien/22.jpg"}]
    mirrored = [{"train/predator/239.jpg", "validation/predator/14.jpg"}]
    assert all(group in across for group in exact + cropped + mirrored)
    assert len(across) == 13
    assert sum(len(group) > 1 for group in found) == 44
    assert max(map(len, found)) == 6
    assert not any("alien" in "".join(group) and "predator" in "".join(group) for group in found)
