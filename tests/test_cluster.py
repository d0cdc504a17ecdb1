"""compute.cluster: the bytes of one machine on a Ray cluster of two nodes, of which one is lost; errors in a sentence.

All but the errors runs for real: Ray's own processes, the nodes' stores, workers with a framework each.
"""

import os
import shlex
import shutil
import socket
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import ray

from tests.helpers import pipeline
from tests.helpers.paths import ROOT
from tests.helpers.processes import PATIENT
from tests.helpers.processors import needs_bfloat16
from tests.helpers.ray_nodes import Nodes, kill, stop
from versus import params
from versus.frameworks import cluster, cluster_worker
from versus.frameworks.cluster_worker import ClusterError, Pass, Worker
from versus.recipe.conventions import PixelConventions
from versus.recipe.pixels import ImageBatches

COMPUTE = params.load().compute
# a stage of each kind, in both frameworks: batch norm of the batch that is updated (PyTorch's own features), all other
# conventions (combinations, by PyTorch), saved classifiers, several splits
SPREAD = {"extract_keras": "data/features/keras", "extract_torch": "data/features/torch",
          "combinations": "data/feature_cache/keras-torch",
          "predict_keras": "data/predictions/keras.csv", "predict_torch": "data/predictions/torch.csv",
          "splits_keras": "data/splits/keras.safetensors"}
NOBODY = "127.0.0.1:9"


@pytest.fixture(scope="module")
def nodes():
    """Two nodes with a processor each."""
    nodes = Nodes(1)
    yield nodes
    nodes.cluster.shutdown()


def start(address, images, folder, *kinds, precision="full"):
    """Start `tests.helpers.extract_on_cluster`: its Popen."""
    command = [sys.executable, "-m", "tests.helpers.extract_on_cluster", address, str(images), str(folder), precision,
               *kinds]
    return subprocess.Popen(command, cwd=ROOT, env=os.environ | PATIENT, text=True, stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE)


def wait_for(process, word):
    """Read what a process says until it says `word`: Ray tells of lost workers, too."""
    assert any(line == f"{word}\n" for line in process.stdout), f"it ended before {word!r}"


def resume(process):
    process.stdin.write("\n")
    process.stdin.flush()


def equal(folder, other, kind):
    """Whether the features and statistics of two folders have the same bytes."""
    one, two = np.load(folder / f"{kind}.npz"), np.load(other / f"{kind}.npz")
    return one.files == two.files and all(one[name].tobytes() == two[name].tobytes() for name in one.files)


# real nodes

def test_a_worker_killed_and_a_node_lost_amid_their_work_leave_the_bytes_as_they_are(nodes, photographs, tmp_path):
    alone = start("none", photographs, tmp_path / "alone", "batch", "frozen")
    process = start(nodes.address, photographs, tmp_path / "cluster", "batch", "frozen")
    for lose in (kill, lambda worker: nodes.cluster.remove_node(nodes.second)):
        wait_for(process, "pause")
        stop(worker := nodes.worker())
        resume(process)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(2)  # for what the stopped worker has
        lose(worker)
        wait_for(process, "lost")
    assert "Traceback" not in process.communicate()[0] and process.returncode == 0
    nodes.add()
    assert alone.communicate()[0] == "" and alone.returncode == 0
    for kind in ("batch", "frozen"):
        assert equal(tmp_path / "alone", tmp_path / "cluster", kind)


@needs_bfloat16
def test_bfloat16_gives_the_bytes_of_one_machine_too(nodes, photographs, tmp_path):
    """Views go through one backbone, images as they are through another, to which the statistics are handed on."""
    for name, address in (("alone", "none"), ("cluster", nodes.address)):
        process = start(address, photographs, tmp_path / name, "batch", precision="bfloat16")
        process.communicate("\n")
        assert process.returncode == 0
    assert equal(tmp_path / "alone", tmp_path / "cluster", "batch")


def test_stages_write_the_bytes_of_one_machine(tmp_path_factory):
    clone, first = pipeline.finished(tmp_path_factory)
    assert first.returncode == 0, first.stdout
    nodes, commands = Nodes(COMPUTE.threads), pipeline.stages()
    try:
        clone.set({"compare.splits": 3})
        clone.output(*shlex.split(commands["splits_keras"]["cmd"]))
        expected = {stage: contents(clone.folder / path) for stage, path in SPREAD.items()}
        clone.set({"compute.cluster": nodes.address})
        for stage, path in SPREAD.items():
            shutil.rmtree(clone.folder / path, ignore_errors=True)
            (clone.folder / path).unlink(missing_ok=True)
            said = clone.output(*shlex.split(commands[stage]["cmd"]))
            assert "Traceback" not in said
            assert contents(clone.folder / path) == expected[stage], stage
    finally:
        nodes.cluster.shutdown()
        clone.restore()


def contents(path):
    """The bytes of a file, or of each file in a folder by its name."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    return {file.name: file.read_bytes() for file in files}


class Dying(Worker):
    """A worker whose process always ends."""

    def start(self, *arguments):
        os._exit(1)


def test_workers_that_all_die_end_it_with_one_sentence(nodes, monkeypatch):
    monkeypatch.setattr(cluster, "Worker", Dying)
    monkeypatch.setattr(cluster, "LOSSES", 1)
    compute = params.Compute(threads=1, cluster=nodes.address)
    try:
        workers = cluster.Workers(cluster.connect(compute.cluster), compute, "float32", "torch")
        with pytest.raises(ClusterError, match="lost 3 workers without a result between .*; expected nodes that stay"):
            list(workers.results(None, [None]))
    finally:
        ray.shutdown()


# errors

@pytest.mark.parametrize("address", [NOBODY, f"ray://{NOBODY}", "auto"])
def test_a_head_that_is_not_there_is_named(address, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", NOBODY)
    with pytest.raises(ClusterError, match=f"got '{address}', but nothing answers at {NOBODY} .*; expected the head"):
        cluster.connect(address)


def test_something_else_than_a_head_is_refused_soon(monkeypatch):
    monkeypatch.setattr(cluster, "SECONDS_TO_CONNECT", 3)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(ClusterError, match="cannot connect .no answer in 3 seconds.; expected the head"):
            cluster.connect(f"127.0.0.1:{port}")


def test_ray_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClusterError, match="got 'auto', but Ray is not installed; .*`make cluster` installs it"):
        cluster.connect("auto")


def test_nodes_with_too_few_processors_are_named():
    small = SimpleNamespace(nodes=lambda: [{"Alive": True, "Resources": {"CPU": 1.0}}] * 2)
    with pytest.raises(ClusterError, match="compute.threads: got 2, but the nodes of the cluster have 1, 1 processors"):
        cluster.Workers(small, params.Compute(threads=2), "float32", "torch")


def test_an_object_store_without_room_is_named(monkeypatch):
    def put(value):
        raise ray.exceptions.ObjectStoreFullError("no room\nmore")

    full = object.__new__(cluster.Cluster)
    full.ray = SimpleNamespace(put=put, exceptions=ray.exceptions)
    with pytest.raises(ClusterError, match="no room in Ray's object store .*no room.*; expected some hundred"):
        full._put(None)


def test_a_node_without_the_images_is_named(tmp_path):
    images = ImageBatches([tmp_path / "missing.jpg"], [np.arange(1)], 64, PixelConventions("accurate", "antialiased"))
    with pytest.raises(ClusterError, match=f"node {socket.gethostname()} has no file .*missing.jpg; expected the proj"):
        Worker("torch", None).apply(Pass((0, None), None, False, False), images)


def test_a_node_with_other_packages_is_named():
    expected = cluster_worker.environment("torch") | {"numpy": "0.1"}
    with pytest.raises(ClusterError, match=r"has numpy \S+ instead of 0.1; expected the same on all nodes"):
        Worker("torch", None).start(COMPUTE, "float32", expected)


# batches

def test_some_batches_have_their_own_files_and_views(tmp_path):
    files, views = [tmp_path / str(number) for number in range(5)], np.arange(5)
    images = ImageBatches(files, [np.array([3, 0]), np.array([4, 1]), np.array([2])], 64, None, views)
    some = images.some(slice(1, 3))
    assert some.files == [files[4], files[1], files[2]] and list(some.views) == [4, 1, 2]
    assert [list(batch) for batch in some.batches] == [[0, 1], [2]]
