"""Each source copies all its images, in the same bytes each time, or says clearly why not; Kaggle: test_kaggle.py."""

import io
import shutil
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from tests.helpers.sources import contents, fetch, lay_out, refused, settings, stage
from versus.images.opening import FORMATS

# folder: what its folders mean is in test_layout.py

def test_folder_copies_images_under_the_usual_names_of_parts(tmp_path, drawn):
    names = {"cats": 0, "dögs ü": 1}
    layout = {f"{part}/{name}": label for part in ("Training", "VAL") for name, label in names.items()}
    root = lay_out(drawn, tmp_path / "mine", layout)
    fetch(settings(folder=str(root)), tmp_path / "raw")
    expected = {file.replace("Training", "train").replace("VAL", "validation"): content
                for file, content in contents(root).items()}
    assert contents(tmp_path / "raw") == expected
    assert len(expected) == 16


def test_folder_follows_links_to_files(tmp_path, drawn):
    root = lay_out(drawn, tmp_path / "mine", {"b": 1})
    (root / "a").mkdir()
    for number in range(2):
        (root / f"a/{number}.jpg").symlink_to(drawn / f"class_00/0000{number}.jpg")
    fetch(settings(folder=str(root)), tmp_path / "raw")
    assert not any(path.is_symlink() for path in (tmp_path / "raw").rglob("*"))
    assert (tmp_path / "raw/a/0.jpg").read_bytes() == (drawn / "class_00/00000.jpg").read_bytes()


def test_a_write_to_a_copy_does_not_reach_the_source(tmp_path, drawn):
    root = lay_out(drawn, tmp_path / "mine", {"a": 0, "b": 1})
    before = contents(root)
    fetch(settings(folder=str(root)), tmp_path / "raw")
    for file in (tmp_path / "raw").rglob("*.jpg"):
        file.write_bytes(b"changed")
    assert contents(root) == before


def test_folder_says_how_much_room_a_run_needs(tmp_path, drawn, capsys, monkeypatch):
    root = lay_out(drawn, tmp_path / "mine", {"a": 0, "b": 1})
    with open(root / "a/large.jpg", "wb") as file:
        file.truncate(30 * 2**20)
    fetch(settings(folder=str(root)), tmp_path / "raw")
    said = capsys.readouterr().out
    assert "30.2 MiB of images; a run needs" in said
    if "shares the blocks" not in said:
        assert "90.7 MiB on disk" in said and "3 copies" in said
        monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 60 * 2**20}))
        message = refused(settings(folder=str(root)), tmp_path / "other")
        assert "got 60.0 MiB of free disk space; expected 90.7 MiB" in message


def test_files_of_one_name_are_all_copied(tmp_path, drawn):
    root = lay_out(drawn, tmp_path / "mine", {"a/x": 0, "a/y": 1, "b": 1})
    shutil.copy(root / "b/00000.jpg", root / "b/00000.JPG")  # one name where case does not count
    fetch(settings(folder=str(root)), tmp_path / "raw")
    copied = contents(tmp_path / "raw")
    assert len(copied) == 13 and len({file.casefold() for file in copied}) == 13
    assert copied["a/y_00000.jpg"] == (root / "a/y/00000.jpg").read_bytes()


def test_fetch_replaces_what_was_there(tmp_path, drawn):
    (tmp_path / "raw/old").mkdir(parents=True)
    (tmp_path / "raw/old/0.jpg").write_bytes(b"old")
    (tmp_path / ".raw.unfinished/half").mkdir(parents=True)  # as SIGKILL leaves it
    fetch(settings(folder=str(drawn)), tmp_path / "raw")
    assert contents(tmp_path / "raw") == contents(drawn)
    assert not (tmp_path / ".raw.unfinished").exists()


# sample

def test_sample_copies_photographs_of_the_package(tmp_path):
    import elpv_dataset
    top = Path(elpv_dataset.__file__).parent / "data"
    labels = {line.split()[0]: line.split()[1] for line in (top / "labels.csv").read_text().splitlines()}
    fetch(settings(source="sample", per_class=30), tmp_path / "raw")
    files = sorted((tmp_path / "raw").rglob("*.png"))
    assert [sum(file.parent.name == name for file in files) for name in ("defective", "functional")] == [30, 30]
    for file in files:
        assert file.read_bytes() == (top / "images" / file.name).read_bytes()
        assert float(labels[f"images/{file.name}"]) == {"defective": 1.0, "functional": 0.0}[file.parent.name]


def test_sample_is_drawn_by_its_seed(tmp_path):
    for name, seed in (("one", 0), ("again", 0), ("other", 1)):
        fetch(settings(source="sample", per_class=20, seed=seed), tmp_path / name)
    assert contents(tmp_path / "one") == contents(tmp_path / "again")
    assert contents(tmp_path / "one").keys() != contents(tmp_path / "other").keys()


def test_sample_refuses_more_images_than_it_has(tmp_path):
    message = refused(settings(source="sample", per_class=716), tmp_path / "raw")
    assert "got 716" in message and "at most 715" in message and "'defective'" in message


# synthetic

@pytest.mark.parametrize("classes", [2, 20])
def test_synthetic_is_the_same_each_time(tmp_path, classes):
    for name in ("one", "again"):
        fetch(settings(source="synthetic", classes=classes, per_class=5), tmp_path / name)
    images = contents(tmp_path / "one")
    assert images == contents(tmp_path / "again")
    assert len(set(images.values())) == classes * 5  # no two alike
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == [f"class_{k:02d}" for k in range(classes)]
    for content in images.values():
        with Image.open(io.BytesIO(content)) as image:
            assert (image.format, image.mode) == ("JPEG", "RGB") and 80 <= min(image.size) <= max(image.size) <= 300


def test_synthetic_images_stay_the_same_when_there_are_more(tmp_path, drawn):
    fetch(settings(source="synthetic", classes=3, per_class=6), tmp_path / "raw")
    assert contents(drawn).items() <= contents(tmp_path / "raw").items()
    fetch(settings(source="synthetic", seed=1), tmp_path / "other")
    assert not set(contents(drawn).values()) & set(contents(tmp_path / "other").values())


# the stage

def test_stage_describes_every_file(tmp_path, drawn):
    layout = {f"{part}/{name}": label for part in ("train", "test") for label, name in enumerate("ab")}
    root = lay_out(drawn, tmp_path / "mine", layout)
    (root / "train/a/broken.jpg").write_bytes(b"no image")
    (root / "train/a/notes.txt").write_text("no image")
    done = stage(tmp_path, source="folder", folder="mine")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-2:] == [
        "17 images, 2 classes, published split: train 9, test 8, 1 with problems, 1 other files left out",
        f"not usable: 1 cannot be decoded: none of {', '.join(FORMATS)}"]
    table = pd.read_csv(tmp_path / "data/raw.csv", keep_default_na=False)
    assert list(table.file[:-1]) == sorted(contents(tmp_path / "data/raw"))
    assert sorted(table.origin) == sorted(contents(root))
    assert table.problem.iloc[-1] == "left out: no image (.txt)"
    assert set(table.published) == {"train", "test", ""}


def test_stage_refuses_fewer_than_two_classes_of_usable_images(tmp_path, drawn):
    root = lay_out(drawn, tmp_path / "mine", {"a": 0})
    (root / "b").mkdir()
    for number in range(2):
        (root / f"b/broken{number}.jpg").write_bytes(b"no image")
    done = stage(tmp_path, source="folder", folder="mine")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "got 4 images of 1 classes" in done.stderr and "('b/broken0.jpg', 'b/broken1.jpg')" in done.stderr
