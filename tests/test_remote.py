"""Results are shared by a remote: a folder, and a server that speaks S3. Images that are not ours to hand out stay.

The finished run of test_pipeline.py is pushed, and colleagues clone the repository with git.
"""

import hashlib
import shutil
import subprocess

import pytest
import yaml

from tests.helpers import pipeline
from tests.helpers.cut_proxy import CutProxy
from tests.helpers.s3_server import S3Server

PULL = ["dvc", "pull", "--allow-missing"]
REPRO = ["dvc", "repro", "--pull", "--allow-missing"]
WRONG = {"AWS_SECRET_ACCESS_KEY": "wrong"}
JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The finished run; what the tests commit is taken back."""
    clone, last = pipeline.finished(tmp_path_factory)
    assert last.returncode == 0, last.stdout
    head = clone.output("git", "rev-parse", "HEAD").strip()
    yield clone
    clone.output("git", "reset", "--quiet", "--hard", head)
    clone.restore()


@pytest.fixture(scope="module")
def server():
    with S3Server() as server:
        yield server


@pytest.fixture(scope="module")
def folder(finished, tmp_path_factory):
    """Push the run to a folder: its path."""
    store = tmp_path_factory.mktemp("store") / "results"
    finished.output("dvc", "remote", "add", "--force", "--default", "store", str(store))
    assert "data/predictions/keras.csv" in finished.output("dvc", "data", "status", "--not-in-remote")
    finished.output("dvc", "push", "--run-cache")
    finished.commit()
    return store


@pytest.fixture(scope="module")
def bucket(folder, finished, server):
    """Push the run to the server as well: the remote `s3` is committed, its keys are in the environment alone."""
    finished.environment |= server.keys
    finished.output("dvc", "remote", "add", "--force", "s3", "s3://results/versus")
    finished.output("dvc", "remote", "modify", "s3", "endpointurl", server.address)
    finished.output("dvc", "push", "--remote", "s3")
    finished.commit()
    return server


def colleague(clone, place, **environment):
    """Clone the repository as a colleague does."""
    subprocess.run(["git", "clone", "--quiet", clone.folder, place], check=True)
    other = pipeline.Clone(place)
    other.environment |= environment
    return other


@pytest.fixture
def fresh(folder, finished, tmp_path):
    return colleague(finished, tmp_path / "fresh")


@pytest.fixture
def distant(bucket, finished, tmp_path):
    """A colleague's clone that uses the server."""
    clone = colleague(finished, tmp_path / "distant", **bucket.keys)
    clone.output("dvc", "remote", "default", "--local", "s3")
    return clone


def withheld(clone):
    """The outputs that are cached but not pushed."""
    outs = [out for stage in pipeline.stages(clone.folder).values() for out in stage["outs"] if isinstance(out, dict)]
    return {path for out in outs for path, flags in out.items() if flags.get("push") is False}


def check_no_images(names, clone):
    """No object's name is an image's hash, no object begins as an image does."""
    images = {hashlib.md5(path.read_bytes()).hexdigest()
              for top in ("data/raw", "data/split") for path in (clone.folder / top).rglob("*.*") if path.is_file()}
    assert len(images) >= 32 and len(names) > 20
    assert not images & {"".join(name.split("/")[-2:]) for name in names}
    assert not [name for name, start in names.items() if start.startswith((JPEG, PNG))]


def test_images_stay_out_of_a_folder(folder, finished):
    assert "data/split" in withheld(finished)
    check_no_images({path.relative_to(folder).as_posix(): path.read_bytes()[:16]
                     for path in folder.rglob("*") if path.is_file()}, finished)


def test_images_stay_out_of_a_bucket(bucket, finished):
    check_no_images(bucket.names(), finished)


def test_no_key_is_in_any_file(bucket, finished):
    committed = finished.output("git", "log", "--patch", "--format=%H", "--", ".dvc")
    assert bucket.address in committed and "secret" not in committed
    assert not any(key in committed for key in (bucket.keys["AWS_ACCESS_KEY_ID"],
                                                bucket.keys["AWS_SECRET_ACCESS_KEY"]))


@pytest.mark.parametrize("remote", ["fresh", "distant"])
def test_a_colleague_pulls_and_recomputes_nothing(remote, request, finished):
    clone = request.getfixturevalue(remote)
    clone.output(*PULL)
    for path in ("data/predictions/keras.csv", "models/torch/classifier.pt2", "data/training/torch/probabilities.npy"):
        assert (clone.folder / path).read_bytes() == (finished.folder / path).read_bytes()
    assert not any((clone.folder / path).exists() for path in withheld(clone))
    assert pipeline.ran(clone.output(*REPRO)) == set()
    assert clone.output("git", "status", "--short") == ""
    assert "Not in remote" not in clone.output("dvc", "data", "status", "--not-in-remote")


def test_without_the_images_what_needs_none_is_computed_and_what_does_is_told(fresh):
    fresh.output(*PULL)
    fresh.set({"compare.margin": 0.3})
    assert pipeline.ran(fresh.output(*REPRO)) == {"check", "compare", "report"}
    fresh.set({"train.learning_rate": 0.01})
    done = fresh.run(*REPRO, "train_torch")
    assert done.returncode != 0 and "Traceback" not in done.stdout
    assert "failed to reproduce 'train_torch'" in done.stdout and "data/split" in done.stdout
    assert "train_torch" not in pipeline.ran(done.stdout)


def test_the_images_come_from_their_source(fresh, finished):
    fresh.output(*PULL)
    assert fresh.repro("split") == {"check", "download", "split"}
    assert fresh.output("git", "status", "--short") == ""  # the same images: dvc.lock stays
    fresh.set({"train.learning_rate": 0.01})
    assert pipeline.ran(fresh.output(*REPRO, "train_torch")) == {"check", "train_torch"}


def test_a_folder_of_images_on_another_machine_stops_only_what_needs_it(folder, finished, tmp_path):
    photographs = tmp_path / "photographs"
    shutil.copytree(finished.folder / "data/raw", photographs)
    finished.set({"data.source": "folder", "data.folder": str(photographs)})
    assert finished.repro() == {"check", "download", "report"}  # the same images, of another source
    finished.commit()
    clone = colleague(finished, tmp_path / "clone")
    photographs.rename(tmp_path / "elsewhere")
    clone.output(*PULL)
    clone.set({"compare.margin": 0.3})
    said = clone.output(*REPRO)
    assert pipeline.ran(said) == {"check", "compare", "report"} and "is not on this machine" in said
    clone.set({"data.folder": "/nowhere"})
    refused = clone.run(*REPRO)
    assert refused.returncode != 0 and "data.folder: got '/nowhere', which is no folder" in refused.stdout


def check_nothing_half_written(clone):
    """What is in the cache is whole, and so are the outputs."""
    objects = [path for path in (clone.folder / ".dvc/cache/files/md5").rglob("*") if path.is_file()]
    for path in objects:
        name = path.parent.name + path.name.removesuffix(".dir")
        assert path.name.endswith(".tmp") or hashlib.md5(path.read_bytes()).hexdigest() == name, path
    status = clone.output("dvc", "data", "status", "--json")
    assert not yaml.safe_load(status).get("uncommitted", {}).get("modified")


@pytest.mark.parametrize("command", [PULL, ["dvc", "push"]])
def test_a_wrong_key_is_told(distant, bucket, command):
    before = bucket.names()
    distant.environment |= WRONG
    done = distant.run(*command)
    assert done.returncode != 0 and "Forbidden" in done.stdout and "Traceback" not in done.stdout
    check_nothing_half_written(distant)
    assert bucket.names() == before


def test_a_broken_connection_is_told_and_the_next_pull_goes_on(distant, bucket, finished):
    with CutProxy(bucket.address, 2_000_000) as proxy:
        distant.output("dvc", "remote", "modify", "--local", "s3", "endpointurl", proxy.address)
        done = distant.run(*PULL)
        assert proxy.broken
    assert done.returncode != 0 and "ERROR: " in done.stdout and "Traceback" not in done.stdout
    check_nothing_half_written(distant)
    distant.output("dvc", "remote", "modify", "--local", "s3", "endpointurl", bucket.address)
    distant.output(*PULL)
    assert pipeline.ran(distant.output(*REPRO)) == set()
