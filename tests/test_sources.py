"""Each source copies all its images, in the same bytes each time, or says clearly why not; Kaggle: test_kaggle.py."""

import io
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from tests.helpers.sources import contents, lay_out, refused, settings, stage
from versus.images import sources

# folder

@pytest.mark.parametrize("train", ["train", "Training"])
@pytest.mark.parametrize("validation", ["validation", "valid", "VAL", "test", "Testing"])
def test_folder_with_parts_is_copied_under_their_usual_names(tmp_path, drawn, train, validation):
    names = {"cats": 0, "dögs ü": 1}
    layout = {f"{part}/{name}": label for part in (train, validation) for name, label in names.items()}
    root = lay_out(drawn, tmp_path / "mine", layout)
    sources.fetch(settings(folder=str(root)), tmp_path / "raw")
    expected = {file.replace(train, "train").replace(validation, "validation"): content
                for file, content in contents(root).items()}
    assert contents(tmp_path / "raw") == expected
    assert len(expected) == 16


def test_folder_of_classes_is_copied_without_what_lies_beside_them(tmp_path, drawn, capsys):
    root = lay_out(drawn, tmp_path / "mine", {"tall ships": 0, "train": 1})  # `train` alone is a class
    expected = contents(root)
    for beside in ("README.md", "tall ships/notes.txt", ".hidden.jpg", "tall ships/.hidden.jpg",
                   ".git/x/0.jpg", "__MACOSX/x/._0.jpg", "cover.jpg"):
        (root / beside).parent.mkdir(parents=True, exist_ok=True)
        (root / beside).write_bytes(b"no image")
    (root / "train/broken.PNG").write_bytes(b"no")
    sources.fetch(settings(folder=str(root)), tmp_path / "raw")
    assert contents(tmp_path / "raw") == expected | {"train/broken.PNG": b"no"}
    assert "left out 'cover.jpg'" in capsys.readouterr().out


def test_folder_prefers_validation_to_test(tmp_path, drawn, capsys):
    layout = {f"{part}/{name}": label for part in ("train", "val", "test") for label, name in enumerate("ab")}
    root = lay_out(drawn, tmp_path / "mine", layout)
    (root / "val/a/00000.jpg").unlink()
    sources.fetch(settings(folder=str(root)), tmp_path / "raw")
    assert {path.parent.parent.name for path in (tmp_path / "raw").rglob("*.jpg")} == {"train", "validation"}
    assert not (tmp_path / "raw/validation/a/00000.jpg").exists()
    assert "left out 'test'" in capsys.readouterr().out


def test_folder_follows_links_and_copies_what_they_lead_to(tmp_path, drawn):
    root = tmp_path / "mine"
    (root / "a").mkdir(parents=True)
    (root / "a/linked.jpg").symlink_to(drawn / "class_00/00000.jpg")
    (root / "b").symlink_to(drawn / "class_01")
    (root / "a/circle").symlink_to(root / "a")
    sources.fetch(settings(folder=str(root)), tmp_path / "raw")
    copied = [path for path in (tmp_path / "raw").rglob("*")]
    assert len(copied) == 2 + 1 + 4 and not any(path.is_symlink() for path in copied)
    assert (tmp_path / "raw/a/linked.jpg").read_bytes() == (drawn / "class_00/00000.jpg").read_bytes()


@pytest.mark.parametrize("layout, words", [
    ({"set/one/a": 0, "set/one/b": 1}, ["set/one/a/00000.jpg", "right above the classes"]),
    ({"a": 0, "b": 1, "b/more": 1}, ["b/more/00000.jpg", "nothing deeper"]),
    ({"train/a": 0, "train/b": 1}, ["train/a/00000.jpg", "{train,validation}/<class>/*"]),
    ({"a": 0}, ["got 1 folders", "two or more"]),
    ({"train/a": 0, "test/a": 0}, ["got 1 folders", "'train'", "two or more"]),
    ({"train/a": 0, "train/b": 1, "val/a": 0, "val/B": 1}, ["'B', 'b'", "the same folders in 'train', 'val'"]),
    ({"train/a": 0, "train/b": 1, "val/a": 0, "val/b": 1, "valid/a": 0}, ["two folders", "'val', 'valid'", "remove"]),
    ({}, ["got 0 folders", "two or more"]),
])
def test_folder_with_another_layout_is_refused(tmp_path, drawn, layout, words):
    (tmp_path / "mine").mkdir()
    root = lay_out(drawn, tmp_path / "mine", layout)
    message = refused(settings(folder=str(root)), tmp_path / "raw")
    assert all(word in message for word in words), message


def test_folder_with_an_empty_class_is_refused(tmp_path, drawn):
    root = lay_out(drawn, tmp_path / "mine", {"a": 0, "b": 1})
    (root / "empty").mkdir()
    (root / "empty/README.txt").write_text("nothing yet")
    message = refused(settings(folder=str(root)), tmp_path / "raw")
    assert "no images in" in message and "empty" in message and "remove the folder" in message


def test_folder_with_a_dead_link_leaves_nothing_behind(tmp_path, drawn):
    root = lay_out(drawn, tmp_path / "mine", {"a": 0, "b": 1})
    (root / "b/gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    assert "gone.jpg" in refused(settings(folder=str(root)), tmp_path / "raw")


def test_fetch_replaces_what_was_there(tmp_path, drawn):
    (tmp_path / "raw/old").mkdir(parents=True)
    (tmp_path / "raw/old/0.jpg").write_bytes(b"old")
    (tmp_path / ".raw.unfinished/half").mkdir(parents=True)  # as SIGKILL leaves it
    sources.fetch(settings(folder=str(drawn)), tmp_path / "raw")
    assert contents(tmp_path / "raw") == contents(drawn)
    assert not (tmp_path / ".raw.unfinished").exists()


# sample

def test_sample_copies_photographs_of_the_package(tmp_path):
    import elpv_dataset
    top = Path(elpv_dataset.__file__).parent / "data"
    labels = {line.split()[0]: line.split()[1] for line in (top / "labels.csv").read_text().splitlines()}
    sources.fetch(settings(source="sample", per_class=30), tmp_path / "raw")
    files = sorted((tmp_path / "raw").rglob("*.png"))
    assert [sum(file.parent.name == name for file in files) for name in ("defective", "functional")] == [30, 30]
    for file in files:
        assert file.read_bytes() == (top / "images" / file.name).read_bytes()
        assert float(labels[f"images/{file.name}"]) == {"defective": 1.0, "functional": 0.0}[file.parent.name]


def test_sample_is_drawn_by_its_seed(tmp_path):
    for name, seed in (("one", 0), ("again", 0), ("other", 1)):
        sources.fetch(settings(source="sample", per_class=20, seed=seed), tmp_path / name)
    assert contents(tmp_path / "one") == contents(tmp_path / "again")
    assert contents(tmp_path / "one").keys() != contents(tmp_path / "other").keys()


def test_sample_refuses_more_images_than_it_has(tmp_path):
    message = refused(settings(source="sample", per_class=716), tmp_path / "raw")
    assert "got 716" in message and "at most 715" in message and "'defective'" in message


# synthetic

@pytest.mark.parametrize("classes", [2, 20])
def test_synthetic_is_the_same_each_time(tmp_path, classes):
    for name in ("one", "again"):
        sources.fetch(settings(source="synthetic", classes=classes, per_class=5), tmp_path / name)
    images = contents(tmp_path / "one")
    assert images == contents(tmp_path / "again")
    assert len(set(images.values())) == classes * 5  # no two alike
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == [f"class_{k:02d}" for k in range(classes)]
    for content in images.values():
        with Image.open(io.BytesIO(content)) as image:
            assert (image.format, image.mode) == ("JPEG", "RGB") and 80 <= min(image.size) <= max(image.size) <= 300


def test_synthetic_images_stay_the_same_when_there_are_more(tmp_path, drawn):
    sources.fetch(settings(source="synthetic", classes=3, per_class=6), tmp_path / "raw")
    assert contents(drawn).items() <= contents(tmp_path / "raw").items()
    sources.fetch(settings(source="synthetic", seed=1), tmp_path / "other")
    assert not set(contents(drawn).values()) & set(contents(tmp_path / "other").values())


# the stage

def test_stage_describes_the_images_that_it_copies(tmp_path, drawn):
    layout = {f"{part}/{name}": label for part in ("train", "test") for label, name in enumerate("ab")}
    root = lay_out(drawn, tmp_path / "mine", layout)
    (root / "train/a/broken.jpg").write_bytes(b"no image")
    done = stage(tmp_path, source="folder", folder="mine")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "17 images, 2 classes, published split 9 + 8, 1 with problems"
    table = pd.read_csv(tmp_path / "data/raw.csv", keep_default_na=False)
    assert list(table.file) == sorted(contents(tmp_path / "data/raw"))
    assert set(table.published) == {"train", "validation"}


def test_stage_refuses_fewer_than_two_classes_of_usable_images(tmp_path, drawn):
    root = lay_out(drawn, tmp_path / "mine", {"a": 0})
    (root / "b").mkdir()
    (root / "b/broken.jpg").write_bytes(b"no image")
    done = stage(tmp_path, source="folder", folder="mine")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "got 4 images that can be used, of 1 classes" in done.stderr and "b/broken.jpg: cannot be" in done.stderr
