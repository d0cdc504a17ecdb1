"""Each source copies all its images, in the same bytes each time, or says clearly why not."""

import io
import os
import shutil
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from tests.helpers.kaggle_server import KaggleServer
from tests.helpers.paths import ROOT
from versus import params
from versus.images import sources

HANDLE = "pmigdal/alien-vs-predator-images/versions/1"
DATASET = ("pmigdal", "alien-vs-predator-images")
MIB = 2**20


def settings(**changes):
    """Make the section `data`."""
    standard = {"source": "folder", "folder": "x", "kaggle": HANDLE, "classes": 2, "per_class": 4, "seed": 0}
    return params.Data(**standard | changes)


def contents(top):
    """Return {path below `top`: bytes} of all files."""
    return {path.relative_to(top).as_posix(): path.read_bytes() for path in sorted(top.rglob("*")) if path.is_file()}


@pytest.fixture(scope="session")
def drawn(tmp_path_factory):
    """A folder of two drawn classes with four images each: class_00 and class_01."""
    top = tmp_path_factory.mktemp("drawn") / "images"
    sources.fetch(settings(source="synthetic"), top)
    return top


def lay_out(drawn, top, layout):
    """Copy the drawn classes to folders below `top`: {folder: number of the drawn class}."""
    for folder, label in layout.items():
        shutil.copytree(drawn / f"class_{label:02d}", top / folder)
    return top


def refused(data, target):
    """Return the message with which fetching fails; nothing may be left."""
    with pytest.raises(sources.SourceError) as caught:
        sources.fetch(data, target)
    assert not target.exists() and not list(target.parent.glob(f".{target.name}*"))
    return str(caught.value)


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


# kaggle

def archive_of(folders, drawn, extra=0):
    """Zip the drawn images as {folder: number of the drawn class}, with a README and `extra` random bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for folder, label in folders.items():
            for image in sorted((drawn / f"class_{label:02d}").iterdir()):
                file.write(image, f"{folder}/{image.name}")
        file.writestr("README.md", "read me")
        file.writestr("extra.bin", np.random.default_rng(0).bytes(extra))
    return buffer.getvalue()


@pytest.fixture(scope="session")
def archive(drawn):
    """A small version of the published archive, 3 MiB: its split, and inside it a second copy of the same."""
    split = {f"data/{part}/{name}": label for part in ("train", "validation")
             for label, name in enumerate(("alien", "predator"))}
    copies = {f"alien_vs_predator_thumbnails/{folder}": label for folder, label in split.items()}
    return archive_of(split | copies, drawn, extra=3 * MIB)


@pytest.fixture
def client(tmp_path, monkeypatch):
    """Give kagglehub a cache of its own and no account; return a function that sets the address of its server."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy") or name.startswith("KAGGLE")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("KAGGLE_API_ENVIRONMENT", "LOCALHOST")
    return lambda address: monkeypatch.setenv("HTTP_PROXY", address)


@pytest.fixture
def server(client, archive):
    with KaggleServer({DATASET: [archive]}) as server:
        client(server.address)
        yield server


@pytest.fixture
def expected(drawn):
    """The files that have to arrive from the archive."""
    names = {f"{part}/{name}": label for part in ("train", "validation")
             for label, name in enumerate(("alien", "predator"))}
    return {f"{folder}/{file.name}": file.read_bytes() for folder, label in names.items()
            for file in (drawn / f"class_{label:02d}").iterdir()}


KAGGLE = settings(source="kaggle")


def test_kaggle_downloads_once_and_then_uses_its_cache(server, tmp_path, expected, capfd):
    sources.fetch(KAGGLE, tmp_path / "raw")
    assert contents(tmp_path / "raw") == expected
    assert server.requests == [("DownloadDataset", None), ("archive", None)]
    assert "100%" in capfd.readouterr().err  # the progress bar
    server.down = True  # from the cache
    sources.fetch(KAGGLE, tmp_path / "again")
    assert contents(tmp_path / "again") == expected


def test_kaggle_resumes_an_interrupted_download_in_the_same_run(server, tmp_path, expected):
    server.cuts = [MIB + 1000, 2 * MIB + 1000]
    sources.fetch(KAGGLE, tmp_path / "raw")
    ranges = [wanted for what, wanted in server.requests if what == "archive"]
    assert contents(tmp_path / "raw") == expected
    # kagglehub opens an answer without Range first, for the address and the hash
    assert [wanted for wanted in ranges if wanted] == [f"bytes={MIB}-"]
    assert len(ranges) == 3


@pytest.mark.parametrize("hashes", [True, False])
def test_kaggle_resumes_an_interrupted_download_in_the_next_run(server, tmp_path, expected, archive, hashes):
    server.hashes = hashes
    server.cuts = [MIB + 1000, MIB + 1000, MIB]  # neither the second request nor its Range gets any further
    message = refused(KAGGLE, tmp_path / "raw")
    assert "the part already downloaded is kept" in message and "synthetic" in message
    partial = tmp_path / "cache/datasets/pmigdal/alien-vs-predator-images/1.archive"
    assert partial.read_bytes() == archive[:MIB]
    server.requests.clear()
    sources.fetch(KAGGLE, tmp_path / "raw")
    assert ("archive", f"bytes={MIB}-") in server.requests
    assert contents(tmp_path / "raw") == expected
    assert not partial.exists()


@pytest.mark.parametrize("hashes", [True, False])
@pytest.mark.parametrize("size", [MIB, 64 * MIB])
def test_kaggle_replaces_a_wrong_partial_download_of_an_earlier_run(server, tmp_path, expected, hashes, size):
    server.hashes = hashes
    partial = tmp_path / "cache/datasets/pmigdal/alien-vs-predator-images/1.archive"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"?" * size)
    sources.fetch(KAGGLE, tmp_path / "raw")
    assert contents(tmp_path / "raw") == expected


def test_kaggle_removes_a_damaged_copy_from_the_cache(server, tmp_path, expected):
    sources.fetch(KAGGLE, tmp_path / "raw")
    shutil.rmtree(tmp_path / "raw")
    cached = tmp_path / "cache/datasets/pmigdal/alien-vs-predator-images/versions/1"
    shutil.rmtree(cached / "data/train/alien")
    message = refused(KAGGLE, tmp_path / "raw")
    assert "'train'" in message and "run again" in message
    sources.fetch(KAGGLE, tmp_path / "raw")
    assert contents(tmp_path / "raw") == expected


@pytest.mark.parametrize("folders, files", [
    ({"data/a": 0, "data/b": 1}, {"a/00000.jpg", "b/00000.jpg"}),
    ({"a": 0, "b": 1, "deep/train/c": 0, "deep/train/d": 1, "deep/test/c": 0, "deep/test/d": 1},
     {f"{part}/{name}/00000.jpg" for part in ("train", "validation") for name in "cd"}),
    ({"x/train/a": 0, "x/train/b": 1}, {"a/00000.jpg", "b/00000.jpg"}),
    ({"x/train/a": 0, "x/train/b": 1, "x/val/a": 0, "x/val/b": 1,
      "y/train/a": 0, "y/train/b": 1, "y/val/a": 0, "y/val/b": 1},
     {f"{part}/{name}/00000.jpg" for part in ("train", "validation") for name in "ab"}),
])
def test_kaggle_finds_the_classes(server, tmp_path, drawn, folders, files):
    server.versions[DATASET] = [archive_of(folders, drawn)]
    sources.fetch(KAGGLE, tmp_path / "raw")
    assert {file for file in contents(tmp_path / "raw") if file.endswith("00000.jpg")} == files


@pytest.mark.parametrize("folders, words", [
    ({}, ["no folders of images", "<class>/*"]),
    ({"images": 0}, ["no folders of images"]),
    ({"x/a": 0, "x/b": 1, "y/a": 1, "y/b": 0}, ["several sets", "expected one"]),
    ({"train/a": 0, "train/b": 1, "test/a": 0, "test/c": 1}, ["'b', 'c'", "same folders"]),
])
def test_kaggle_refuses_an_archive_without_classes(server, tmp_path, drawn, archive, folders, words):
    server.versions[DATASET] = [archive_of(folders, drawn)]
    message = refused(KAGGLE, tmp_path / "raw")
    assert all(word in message for word in (HANDLE, "removed", "another dataset", *words)), message
    server.versions[DATASET] = [archive]
    sources.fetch(KAGGLE, tmp_path / "raw")  # nothing of the wrong one remains


@pytest.mark.parametrize("hashes", [True, False])
@pytest.mark.parametrize("damage", [lambda archive: b"<html>Sign in</html>", lambda archive: archive[:-100],
                                    lambda archive: archive[:2000] + bytes(2000) + archive[4000:]])
def test_kaggle_refuses_what_is_no_whole_archive(server, tmp_path, archive, expected, damage, hashes):
    server.versions[DATASET] = [damage(archive)]
    server.hashes = hashes
    message = refused(KAGGLE, tmp_path / "raw")
    assert HANDLE in message and "not a whole zip or tar archive" in message and "run again" in message
    server.versions[DATASET] = [archive]
    sources.fetch(KAGGLE, tmp_path / "raw")
    assert contents(tmp_path / "raw") == expected


@pytest.mark.parametrize("handle, status, words", [
    ("nobody/nothing/versions/1", 200, ["'nobody/nothing/versions/1'", "does not know (404)", "owner/dataset"]),
    (HANDLE[:-1] + "7", 200, ["versions/7'", "a version that Kaggle does not have", "at most versions/1"]),
    (HANDLE, 404, ["does not know (404)"]),
    (HANDLE, 403, ["account or consent (403)", "public dataset", "access_token"]),
    (HANDLE, 401, ["account or consent (401)"]),
    (HANDLE, 503, ["status 503", "later", "sample", "folder", "synthetic"]),
])
def test_kaggle_errors_say_what_to_do(server, tmp_path, handle, status, words):
    server.status = status
    message = refused(settings(source="kaggle", kaggle=handle), tmp_path / "raw")
    assert all(word in message for word in words), message
    assert not list((tmp_path / "cache").rglob("*.complete"))


@pytest.mark.parametrize("listening", [True, False])
def test_kaggle_out_of_reach_is_reported_with_the_other_sources(client, tmp_path, listening):
    with KaggleServer({}) as server:
        server.down = True
        client(server.address if listening else f"http://127.0.0.1:{_free_port()}")
        message = refused(KAGGLE, tmp_path / "raw")
    assert all(word in message for word in ("no connection", "Run again", "sample", "folder", "synthetic")), message


def _free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def test_kaggle_settings_that_cannot_be_read_are_named(server, tmp_path):
    (tmp_path / "kaggle.json").write_text("{")
    message = refused(KAGGLE, tmp_path / "raw")
    assert "Invalid Kaggle credentials file" in message and "kaggle.json" in message


# the stage

def stage(place, **changes):
    """Run the stage in the folder `place` with the committed params.yaml, but for `changes` in its section data."""
    values = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    values["data"] |= changes
    (place / "params.yaml").write_text(yaml.safe_dump(values))
    return subprocess.run([sys.executable, "-m", "stages.download"], cwd=place, capture_output=True, text=True,
                          env=os.environ | {"PYTHONPATH": str(ROOT)})


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


def test_stage_says_in_one_line_that_kaggle_is_out_of_reach(client, tmp_path):
    client(f"http://127.0.0.1:{_free_port()}")
    done = stage(tmp_path, source="kaggle")
    assert done.returncode == 1 and "synthetic" in done.stderr
    assert len(done.stderr.splitlines()) == 1 and not (tmp_path / "data/raw").exists()
