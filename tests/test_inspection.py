"""Every file is described, and what is wrong with it said; too few usable images are refused."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from versus.images.inspection import COLUMNS, LayoutError, UnusableImagesError, check_usable, inspect, summary


def noise(seed=0):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (200, 300, 3), np.uint8))


@pytest.fixture
def folder(tmp_path):
    for part, name in (("train", "a"), ("train", "b"), ("validation", "a"), ("validation", "b")):
        (tmp_path / part / name).mkdir(parents=True)
        noise().save(tmp_path / part / name / "1.png")
    return tmp_path


def table(rows):
    """A table of (file, problem) as `inspect` returns it."""
    folders = [file.split("/")[:-1] for file, _ in rows]
    return pd.DataFrame({"file": [file for file, _ in rows], "class": [names[-1] for names in folders],
                         "published": [names[0] if len(names) == 2 else "" for names in folders],
                         "problem": [problem for _, problem in rows]})


def test_inspect_describes_each_file_and_says_what_is_wrong(folder):
    good = (folder / "train/a/1.png").read_bytes()
    spoilt = {"empty.png": b"", "text.jpg": b"no image", "truncated.png": good[: len(good) // 2],
              "document.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 20\n"}
    for name, content in spoilt.items():
        (folder / "train/b" / name).write_bytes(content)
    Image.new("RGB", (7, 90)).save(folder / "train/b/small.png")
    Image.fromarray(np.zeros((20, 20), np.uint16)).save(folder / "train/b/deep.png")
    described = inspect(folder).set_index("file")
    assert tuple(described.reset_index().columns) == COLUMNS
    assert list(described.index) == sorted(described.index)
    assert described.loc["train/a/1.png"].drop("sha256").to_dict() == {
        "class": "a", "published": "train", "width": 300, "height": 200, "mode": "RGB", "format": "PNG", "problem": ""}
    problems = described.problem[described.problem != ""]
    assert set(problems.index) == {f"train/b/{name}" for name in [*spoilt, "small.png", "deep.png"]}
    reasons = {"empty": "empty file", "small": "too small: 7x90", "truncated": "image file is truncated",
               "text": "cannot be decoded", "document": "none of JPEG, PNG", "deep": "deeper than 8 bits"}
    for name, words in reasons.items():
        assert words in problems[problems.index.str.contains(f"/{name}")].item()
    assert inspect(folder).equals(inspect(folder))


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")  # pytest has removed the module's filter
def test_inspect_refuses_decompression_bombs(folder, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40_000)
    assert set(inspect(folder).problem) == {"too large: more than 40000 pixels"}  # 60,000 of 40,000: Pillow only warns
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20_000)
    bombs = inspect(folder)
    assert set(bombs.problem) == {"too large: more than 20000 pixels"}
    assert set(bombs.width) == set(bombs.height) == {0}


def test_inspect_understands_folders_without_parts(tmp_path):
    for name in ("train", "plane"):  # a class that happens to have the name of a part is a class
        (tmp_path / name).mkdir()
        noise(1).save(tmp_path / name / "x.png")
    described = inspect(tmp_path)
    assert described["class"].tolist() == ["plane", "train"]
    assert set(described.published) == {""}


@pytest.mark.parametrize("stray", ["x.png", "test/a/x.png", "train/a/deeper/x.png"])
def test_inspect_refuses_other_layouts(folder, stray):
    (folder / stray).parent.mkdir(parents=True, exist_ok=True)
    noise(1).save(folder / stray)
    with pytest.raises(LayoutError, match=f"got the file '{stray}'; expected <class>/<name>"):
        inspect(folder)


def test_inspect_refuses_an_empty_folder(tmp_path):
    with pytest.raises(LayoutError, match="contains no files"):
        inspect(tmp_path)


def test_usable_images_of_two_classes_suffice():
    rows = [("a/1.png", ""), ("b/1.png", ""), ("b/2.png", "empty file"), ("c/1.png", "empty file")]
    check_usable(table(rows), "folder")


@pytest.mark.parametrize(("rows", "message"), [
    ([("a/1.png", ""), ("a/2.png", "")], "got 2 images that can be used, of 1 classes; expected two classes or more. "
                                         "Problems: none"),
    ([("a/1.png", ""), ("b/1.png", "empty file")], "got 1 images that can be used, of 1 classes; expected two classes "
                                                   "or more. Problems: b/1.png: empty file"),
])
def test_too_few_usable_images_are_refused_with_their_problems(rows, message):
    with pytest.raises(UnusableImagesError) as caught:
        check_usable(table(rows), "folder")
    assert str(caught.value) == f"data.source 'folder': {message}"


@pytest.mark.parametrize(("count", "end"), [(5, "b/4.png: empty file"), (6, "b/4.png: empty file; and 1 more"),
                                            (60, "b/4.png: empty file; and 55 more")])
def test_five_problems_are_listed_and_the_rest_counted(count, end):
    with pytest.raises(UnusableImagesError) as caught:
        check_usable(table([(f"b/{i}.png", "empty file") for i in range(count)]), "kaggle")
    message = str(caught.value)
    assert "got 0 images that can be used, of 0 classes" in message
    assert message.count("empty file") == 5 and message.endswith(end)


def test_summary_counts_images_classes_parts_and_problems(folder):
    assert summary(inspect(folder)) == "4 images, 2 classes, published split 2 + 2, 0 with problems"
    unsplit = table([("a/1.png", ""), ("b/1.png", "empty file"), ("c/1.png", "")])
    assert summary(unsplit) == "3 images, 3 classes, no published split, 1 with problems"
