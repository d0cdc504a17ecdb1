"""Every file is described, and what is wrong with it said; too few usable images are refused."""

from pathlib import PurePosixPath

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from tests.helpers.sources import split
from versus.images import inspection, tables
from versus.images.inspection import UnusableImagesError, check_usable, summary
from versus.images.sources.tree import File
from versus.images.tables import COLUMNS, images_of


def noise(seed=0):
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (200, 300, 3), np.uint8))


@pytest.fixture
def folder(tmp_path):
    for part, name in (("train", "a"), ("train", "b"), ("validation", "a"), ("validation", "b")):
        (tmp_path / part / name).mkdir(parents=True)
        noise().save(tmp_path / part / name / "1.png")
    return tmp_path


def listing(root):
    """The rows of all files below `root`, of parts and classes, as a source returns them."""
    files = sorted(path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return [File(PurePosixPath("original", file), file.parts[-2], file.parts[0] if len(file.parts) == 3 else "",
                 target=file.as_posix()) for file in files]


def inspect(root):
    return inspection.inspect(root, listing(root))


def table(rows):
    """A table of (file, problem) as `inspect` returns it."""
    folders = [file.split("/")[:-1] or [""] for file, _ in rows]
    return pd.DataFrame({"file": [file for file, _ in rows], "class": [names[-1] for names in folders],
                         "published": [names[0] if len(names) == 2 else "" for names in folders],
                         "conversion": "", "note": "", "problem": [problem for _, problem in rows]})


def test_inspect_describes_each_file_and_says_what_is_wrong(folder):
    good = (folder / "train/a/1.png").read_bytes()
    spoilt = {"empty.png": b"", "text.jpg": b"no image", "truncated.png": good[: len(good) // 2],
              "document.png": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 20\n"}
    for name, content in spoilt.items():
        (folder / "train/b" / name).write_bytes(content)
    Image.new("RGB", (7, 90)).save(folder / "train/b/small.png")
    described = inspect(folder).set_index("file")
    assert tuple(described.reset_index().columns[:1]) + tuple(described.columns) == COLUMNS
    assert list(described.index) == sorted(described.index)
    assert described.loc["train/a/1.png"].drop("sha256").to_dict() == {
        "class": "a", "published": "train", "width": 300, "height": 200, "mode": "RGB", "format": "PNG", "problem": "",
        "conversion": "", "note": "", "origin": "original/train/a/1.png", "group": ""}
    problems = described.problem[described.problem != ""]
    assert set(problems.index) == {f"train/b/{name}" for name in [*spoilt, "small.png"]}
    reasons = {"empty": "empty file", "small": "too small: 7x90", "truncated": "image file is truncated",
               "text": "cannot be decoded", "document": "none of JPEG, PNG"}
    for name, words in reasons.items():
        assert words in problems[problems.index.str.contains(f"/{name}")].item()
    assert inspect(folder).equals(inspect(folder))


@pytest.mark.parametrize("content, words", [
    (bytes(128) + b"DICM" + bytes(300), "a DICOM file"), (b"<!DOCTYPE HTML><html>404</html>", "an HTML page"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing"), (b"\0\0\0\x24ftypheic" + bytes(400), "HEIC"),
    (b"%PDF-1.4", "a PDF document"), (b"PK\3\4", "a ZIP archive"), (b"\0\0\0\x20ftypisom", "a video")])
def test_what_is_no_image_is_named(folder, content, words):
    (folder / "train/a/2.jpg").write_bytes(content)
    described = inspect(folder).set_index("file")
    assert words in described.problem["train/a/2.jpg"]


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")  # pytest has removed the module's filter
def test_inspect_refuses_decompression_bombs(folder, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 40_000)
    assert set(inspect(folder).problem) == {"too large: more than 40000 pixels"}  # 60,000 of 40,000: Pillow only warns
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20_000)
    bombs = inspect(folder)
    assert set(bombs.problem) == {"too large: more than 20000 pixels"}
    assert set(bombs.width) == set(bombs.height) == {0}


def test_files_that_are_left_out_have_rows_without_a_class(folder, tmp_path_factory):
    left_out = File(PurePosixPath("train/notes.txt"), left_out="no image (.txt)")
    described = inspection.inspect(folder, [left_out, *listing(folder)])
    assert described.iloc[-1][["file", "class", "origin", "problem"]].tolist() == [
        "", "", "train/notes.txt", "left out: no image (.txt)"]
    assert len(images_of(described)) == 4
    path = tmp_path_factory.mktemp("csv") / "raw.csv"
    tables.save(described, path)
    assert tables.read(path).equals(described)


@pytest.mark.parametrize("name", ["NA", "nan", "None", "True", "1e5", "007", "=1+1", "a,b", 'say "hi"', "two\nlines",
                                  "tab\there", "日本", "🐱", " "])
def test_names_of_every_kind_survive_the_file(tmp_path, name):
    (tmp_path / "raw" / name).mkdir(parents=True)
    noise().save(tmp_path / "raw" / name / f"{name}.png")
    described = inspect(tmp_path / "raw")
    tables.save(described, tmp_path / "raw.csv")
    read = tables.read(tmp_path / "raw.csv")
    assert read.equals(described) and read["class"].item() == name and read.file.item() == f"{name}/{name}.png"


def test_usable_images_of_two_classes_suffice():
    rows = [("a/1.png", ""), ("a/2.png", ""), ("b/1.png", ""), ("b/2.png", ""), ("c/1.png", "empty file")]
    check_usable(table(rows), "folder", split())


@pytest.mark.parametrize(("rows", "message"), [
    ([("a/1.png", ""), ("a/2.png", "")], "got 2 images of 1 classes; expected two classes or more\n"
                                         "Files that cannot be used: none"),
    ([("a/1.png", ""), ("b/1.png", "empty file")], "got 1 images of 1 classes; expected two classes or more\n"
                                                   "Files that cannot be used: 1 empty file ('b/1.png')"),
])
def test_too_few_usable_images_are_refused_with_their_problems(rows, message):
    with pytest.raises(UnusableImagesError) as caught:
        check_usable(table(rows), "folder", split())
    assert str(caught.value) == f"data.source 'folder': of the images that can be used, {message}"


def test_equal_problems_are_counted():
    with pytest.raises(UnusableImagesError) as caught:
        rows = [(f"b/{i:02}.png", "empty file") for i in range(60)]
        check_usable(table([*rows, ("b/x.png", "no")]), "kaggle", split())
    message = str(caught.value)
    assert "got 0 images of 0 classes" in message
    assert message.endswith("60 empty file ('b/00.png', 'b/01.png' and 58 more); 1 no ('b/x.png')")


def test_images_that_all_show_one_colour_are_refused(tmp_path):
    for name in "ab":
        (tmp_path / name).mkdir()
        for number in range(3):  # the content is on the second page
            Image.new("RGB", (30, 40), "white").save(tmp_path / name / f"{number}.tif", save_all=True,
                                                     append_images=[noise(number)])
    described = inspect(tmp_path)
    assert set(described.conversion) == {"the first of 2 pages"}
    with pytest.raises(UnusableImagesError, match=r"6 images that all show one colour alone: \(255, 255, 255\)"):
        check_usable(described, "folder", split())
    for number, colour in enumerate(("red", "green", "blue")):  # but colours may be what the classes are
        Image.new("RGB", (30, 40), colour).save(tmp_path / "b" / f"{number}.tif")
    check_usable(inspect(tmp_path), "folder", split())


def test_summary_counts_images_classes_parts_problems_and_conversions(folder):
    assert summary(inspect(folder)) == ("4 images, 2 classes, published split: train 2, validation 2, 0 with problems, "
                                        "0 other files left out")
    unsplit = table([("a/1.png", ""), ("b/1.png", "empty file"), ("c/1.png", ""), ("", "left out: no image")])
    unsplit.loc[2, ["conversion", "note"]] = "transparent", "one colour alone: (0, 0, 0)"
    assert summary(unsplit).splitlines() == [
        "3 images, 3 classes, no published split, 1 with problems, 1 other files left out", "not usable: 1 empty file",
        "converted on the way to data/split: 1 transparent", "noted: 1 one colour alone: (0, 0, 0)"]


def test_thousands_of_equal_warnings_are_one_line_each():
    rows = table([(f"a/{i}.png", f"problem {i % 14}") for i in range(2000)])
    lines = summary(rows).splitlines()
    assert len(lines) == 2 and "143 problem 0" in lines[1] and lines[1].endswith("others (see data/raw.csv)")
