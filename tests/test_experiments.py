"""Experiments in a queue, or in a temporary copy of the repository, find the images and weights that git ignores."""

import os
import shutil
import time
import zipfile
from io import BytesIO

import pytest
import yaml

from tests.helpers import pipeline
from tests.helpers.kaggle_server import KaggleServer
from versus.images import experiments
from versus.images.sources.errors import SourceError

LONGEST = 600  # seconds that the queue may take, on a machine that others use, too


@pytest.fixture(scope="module")
def queued(tmp_path_factory):
    """A copy of the finished run with images in data/images and beside it, after its queue: (Clone, Kaggle's server).

    Experiments, by name: slow and fast, learning rates with images in data/images; outside, with images outside the
    repository; kaggle_1 and kaggle_2, with different splits.
    """
    finished, last = pipeline.finished(tmp_path_factory)
    assert last.returncode == 0, last.stdout
    top = tmp_path_factory.mktemp("experiments")
    shutil.copytree(finished.folder, top / "clone", symlinks=True)
    clone, raw = pipeline.Clone(top / "clone"), finished.folder / "data/raw"
    shutil.copytree(raw, clone.folder / "data/images")
    shutil.copytree(raw, top / "photographs")
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for file in raw.glob("*/*"):
            archive.write(file, file.relative_to(raw))
    with KaggleServer({("pmigdal", "alien-vs-predator-images"): [content.getvalue()]}) as server:
        clone.environment |= {"KAGGLE_CONFIG_DIR": str(top), "KAGGLEHUB_CACHE": str(top / "kaggle"),
                              "HTTP_PROXY": server.address, "http_proxy": server.address, "NO_PROXY": "",
                              "no_proxy": "", "KAGGLE_API_ENVIRONMENT": "LOCALHOST"}
        add(clone, ["train_torch"], "train.learning_rate=0.0001,0.001", "data.source=folder", "data.folder=data/images")
        add(clone, ["split"], "data.source=folder", "data.folder=../photographs")
        add(clone, ["download"], "data.source=kaggle", "split.seed=1,2")
        clone.output("dvc", "queue", "start")
        wait(clone, 5)
        yield clone, server


def add(clone, targets, *settings):
    clone.output("dvc", "exp", "run", "--queue", *(word for each in settings for word in ("-S", each)), *targets)


def wait(clone, number):
    """Wait until so many experiments have ended well."""
    end = time.monotonic() + LONGEST
    while len(names(clone)) < number:
        status = clone.output("dvc", "queue", "status")
        if "Failed" in status or time.monotonic() > end:
            failed = [line.split()[0] for line in status.splitlines() if "Failed" in line]
            pytest.fail("\n".join([status, *(clone.run("dvc", "queue", "logs", task).stdout for task in failed)]))
        time.sleep(1)


def names(clone):
    """The names of the experiments that have ended well."""
    return clone.output("dvc", "exp", "list", "--name-only").split()


@pytest.fixture(scope="module")
def results(queued):
    """Of each experiment its params.yaml and the stages of its dvc.lock."""
    clone, _ = queued
    return [tuple(yaml.safe_load(clone.output("git", "show", f"{revision}:{file}"))
                  for file in ("params.yaml", "dvc.lock"))
            for revision in clone.output("git", "for-each-ref", "--format=%(objectname)", "refs/exps/*/*/*").split()]


def md5_of(lock, stage, kind, path):
    return next(each["md5"] for each in lock["stages"][stage][kind] if each["path"] == path)


def test_a_sweep_of_learning_rates_finds_images_in_the_repository(queued, results):
    clone, _ = queued
    before = yaml.safe_load(clone.lock())
    sweep = {params["train"]["learning_rate"]: lock for params, lock in results
             if params["data"]["folder"] == "data/images"}
    assert set(sweep) == {0.0001, 0.001}
    for lock in sweep.values():
        # the folder that is linked to has the hash that it has in the repository itself
        assert md5_of(lock, "download", "deps", "data/images") == md5_of(before, "download", "outs", "data/raw")
        assert md5_of(lock, "split", "outs", "data/split") == md5_of(before, "split", "outs", "data/split")
    trained = {rate: md5_of(lock, "train_torch", "outs", "models/torch") for rate, lock in sweep.items()}
    assert trained[0.001] == md5_of(before, "train_torch", "outs", "models/torch") != trained[0.0001]


def test_images_beside_the_repository_are_read(results):
    (lock,) = [lock for params, lock in results if params["data"]["folder"] == "../photographs"]
    assert md5_of(lock, "download", "deps", "../photographs") == md5_of(lock, "download", "outs", "data/raw")


def test_kaggle_is_asked_once_for_all_experiments(queued, results):
    _, server = queued
    assert {params["split"]["seed"] for params, _ in results if params["data"]["source"] == "kaggle"} == {1, 2}
    assert server.requests == [("DownloadDataset", None), ("archive", None)]


# links

@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A repository with images and weights, and the folder of DVC's copy of it, in which the test runs."""
    project = tmp_path / "1/2/3/4/5/project"
    write(project / "data/images/a/1.png")
    write(project / "data/weights/README.md")
    write(project / "data/weights/deep/mine.safetensors")
    copy = project / ".dvc/tmp/exps/standalone/tmp1"
    write(copy / "data/weights/README.md")
    monkeypatch.chdir(copy)
    return copy


def write(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(str(path))


def test_what_is_missing_is_linked_and_what_is_there_stays(copy):
    for _ in range(2):
        for path in ("data/images", "data/weights", "data/nothing", "/etc"):
            experiments.link(path)
    assert (copy / "data/images/a/1.png").read_text().endswith("project/data/images/a/1.png")
    assert not (copy / "data/weights/deep").is_symlink()  # of which DVC would not see the files
    assert (copy / "data/weights/deep/mine.safetensors").is_symlink()
    assert not (copy / "data/weights/README.md").is_symlink()
    assert not os.path.lexists(copy / "data/nothing")


def test_links_of_earlier_experiments_are_replaced_and_nothing_else_is(copy):
    beside = copy.parents[5]  # the project's own folder
    write(beside / "photographs/a/1.png")
    (copy.parent / "photographs").symlink_to("/gone")
    experiments.link("../photographs")
    assert os.path.samefile(copy.parent / "photographs", beside / "photographs")
    write(beside / "celery/a/1.png")
    (copy.parent / "celery").mkdir()  # as DVC's own
    with pytest.raises(SourceError, match="expected an absolute one: '.*/celery'"):
        experiments.link("../celery")


def test_nothing_is_linked_outside_of_dvcs_folder(copy, tmp_path):
    write(tmp_path / "1/far/1.png")
    with pytest.raises(SourceError, match="expected an absolute one: '.*/1/far'"):
        experiments.link("../../../../../far")  # of the copy: in the repository
    assert not os.path.lexists(copy.parents[4] / "far")


def test_in_the_repository_itself_nothing_is_linked(tmp_path, monkeypatch):
    write(tmp_path / "project/data/images/a/1.png")
    monkeypatch.chdir(tmp_path / "project")
    experiments.link("data/images")
    experiments.link("../nowhere")
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))
