"""Images come from Kaggle by its real client, from a server that interrupts, redirects and lies; or it says why not."""

import io
import os
import shutil
import socket
import zipfile

import numpy as np
import pytest

from tests.helpers.kaggle_server import KaggleServer
from tests.helpers.sources import HANDLE, contents, fetch, refused, settings, stage

DATASET = ("pmigdal", "alien-vs-predator-images")
MIB = 2**20


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
    fetch(KAGGLE, tmp_path / "raw")
    assert contents(tmp_path / "raw") == expected
    assert server.requests == [("DownloadDataset", None), ("archive", None)]
    assert "100%" in capfd.readouterr().err  # the progress bar
    server.down = True  # from the cache
    fetch(KAGGLE, tmp_path / "again")
    assert contents(tmp_path / "again") == expected


def test_kaggle_resumes_an_interrupted_download_in_the_same_run(server, tmp_path, expected):
    server.cuts = [MIB + 1000, 2 * MIB + 1000]
    fetch(KAGGLE, tmp_path / "raw")
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
    fetch(KAGGLE, tmp_path / "raw")
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
    fetch(KAGGLE, tmp_path / "raw")
    assert contents(tmp_path / "raw") == expected


def test_kaggle_never_deletes_a_whole_download(server, tmp_path, expected):
    fetch(KAGGLE, tmp_path / "raw")
    shutil.rmtree(tmp_path / "raw")
    cached = tmp_path / "cache/datasets/pmigdal/alien-vs-predator-images/versions/1"
    shutil.rmtree(cached / "data/train/alien")
    before = contents(cached)
    message = refused(KAGGLE, tmp_path / "raw")
    assert "'alien' in validation, not in train" in message and f"{str(cached)!r}" in message
    assert "remove that folder and run again" in message and contents(cached) == before
    shutil.rmtree(cached)
    (cached.parent / "1.complete").unlink(missing_ok=True)
    fetch(KAGGLE, tmp_path / "raw")
    assert contents(tmp_path / "raw") == expected


@pytest.mark.parametrize("folders, files", [
    ({"data/a": 0, "data/b": 1}, {"a/00000.jpg", "b/00000.jpg"}),
    ({"a": 0, "b": 1, "deep/train/c": 0, "deep/train/d": 1, "deep/test/c": 0, "deep/test/d": 1},
     {f"{part}/{name}/00000.jpg" for part in ("train", "test") for name in "cd"}),
    ({"x/train/a": 0, "x/train/b": 1}, {"a/00000.jpg", "b/00000.jpg"}),
    ({"x/train/a": 0, "x/train/b": 1, "x/val/a": 0, "x/val/b": 1,
      "y/train/a": 0, "y/train/b": 1, "y/val/a": 0, "y/val/b": 1},
     {f"{part}/{name}/00000.jpg" for part in ("train", "validation") for name in "ab"}),
])
def test_kaggle_finds_the_classes(server, tmp_path, drawn, folders, files):
    server.versions[DATASET] = [archive_of(folders, drawn)]
    fetch(KAGGLE, tmp_path / "raw")
    assert {file for file in contents(tmp_path / "raw") if file.endswith("00000.jpg")} == files


@pytest.mark.parametrize("folders, words", [
    ({}, ["no folders of images", "<class>/*"]),
    ({"images": 0}, ["images of one folder alone, 'images'"]),
    ({"x/train/a": 0, "x/train/b": 1, "x/test/a": 0, "x/test/b": 1,
      "y/train/a": 1, "y/train/b": 0, "y/test/a": 0, "y/test/b": 1}, ["several sets", "expected one", "data.folder"]),
    ({"train/a": 0, "train/b": 1, "test/a": 0, "test/c": 1}, ["'b' in train, not in test", "'c' in test"]),
])
def test_kaggle_refuses_an_archive_without_classes_and_keeps_it(server, tmp_path, drawn, folders, words):
    server.versions[DATASET] = [archive_of(folders, drawn)]
    message = refused(KAGGLE, tmp_path / "raw")
    assert all(word in message for word in (HANDLE, "downloaded to", *words)), message
    server.down = True  # the same again, from the cache
    assert refused(KAGGLE, tmp_path / "raw") == message


@pytest.mark.parametrize("hashes", [True, False])
@pytest.mark.parametrize("damage", [lambda archive: b"<html>Sign in</html>", lambda archive: archive[:-100],
                                    lambda archive: archive[:2000] + bytes(2000) + archive[4000:]])
def test_kaggle_refuses_what_is_no_whole_archive(server, tmp_path, archive, expected, damage, hashes):
    server.versions[DATASET] = [damage(archive)]
    server.hashes = hashes
    message = refused(KAGGLE, tmp_path / "raw")
    assert HANDLE in message and "not a whole zip or tar archive" in message and "run again" in message
    server.versions[DATASET] = [archive]
    fetch(KAGGLE, tmp_path / "raw")
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


def test_stage_says_in_one_line_that_kaggle_is_out_of_reach(client, tmp_path):
    client(f"http://127.0.0.1:{_free_port()}")
    done = stage(tmp_path, source="kaggle")
    assert done.returncode == 1 and "synthetic" in done.stderr
    assert len(done.stderr.splitlines()) == 1 and not (tmp_path / "data/raw").exists()
