"""Features on several machines: a Ray cluster in place of a framework's modules, with the bytes of one machine.

Batches are those that `recipe.draws` has drawn. A feature depends on nothing but its batch, so workers compute batches
in any order and results are put in order here. Batch norm's running statistics depend on the order of the batches: a
worker returns what each batch adds to them, and they are added up here, in order, as the layer does it.
"""

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from heapq import heappop, heappush
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from tqdm import tqdm

import versus
from versus import params
from versus.artifacts.features import Statistics
from versus.frameworks.cluster_worker import ClusterError, Pass, Piece, Recipe, Worker, environment
from versus.recipe.pixels import ImageBatches

SECONDS = 5  # to wait for a machine to answer
SECONDS_TO_CONNECT = 30  # of Ray
SECONDS_TO_START = 300  # of the first worker
AT_ONCE = 8  # batches in a piece of work, at most; the second is read while the first is computed
QUEUED = 2  # pieces of work that a worker has: the one that it computes, the next one
AHEAD = 4  # pieces for each worker that may be done before an earlier one, at most: they are held in memory
LOSSES = 3  # for each worker
REMEDY = "start Ray as docs/cluster.md says, or set compute.cluster to none"


def spread(compute: params.Compute, precision: str, name: str, maker: ModuleType, own: ModuleType) -> tuple[Any, Any]:
    """Return the modules `maker` and `own` of competitor `name`, or a cluster in the place of both.

    `maker` makes backbones: it is the framework's module `backbone` or `classifier`; `own` is `features`. Backbones
    that the cluster has made are applied by all nodes. Raises ClusterError.
    """
    if compute.cluster == "none":
        return maker, own
    cluster = Cluster(compute, precision, name, maker, own)
    return cluster, cluster


class Cluster:
    """What stages and loops use of the modules `backbone` or `classifier`, and `features`."""

    def __init__(self, compute: params.Compute, precision: str, name: str, maker: ModuleType, own: ModuleType):
        self.maker, self.own = maker, own
        self.ray = connect(compute.cluster)
        self.workers = Workers(self.ray, compute, precision, name)
        self.made: dict[int, tuple[int, Any, Any]] = {}  # by id: number, backbone, reference to its recipe
        self.passes = 0

    def build(self, *arguments: Any) -> Any:
        """Build a backbone, see `backbone.build`."""
        return self._register(Recipe("backbone", "build", arguments), self.maker.build(*arguments))

    def load(self, folder: str | Path) -> tuple[Any, Any]:
        """Read a classifier, see `classifier.load`: its backbone is spread, the whole is not."""
        classifier, backbone = self.maker.load(folder)
        return classifier, self._register(Recipe("classifier", "load", (Path(folder).absolute(),)), backbone)

    def _register(self, recipe: Recipe, backbone: Any) -> Any:
        self.made[id(backbone)] = len(self.made), backbone, self._put(recipe)
        return backbone

    def statistics(self, backbone: Any) -> Statistics:
        """Return batch norm's running statistics, see `backbone.statistics`."""
        return self.own.statistics(backbone)

    def decay(self, backbone: Any) -> float:
        """Return what a batch leaves of the running statistics, see `backbone.decay`."""
        return self.maker.decay(backbone)

    def set_statistics(self, backbone: Any, values: Statistics) -> None:
        """Set batch norm's running statistics, see `backbone.set_statistics`."""
        self.maker.set_statistics(backbone, values)

    def received(self, images: ImageBatches) -> np.ndarray:
        """Return the first batch as the model receives it, see `features.received`."""
        return self.own.received(images)

    def apply(self, backbone: Any, images: ImageBatches, training: bool, bar: tqdm,
              out: np.ndarray | None = None) -> np.ndarray:
        """Apply a backbone batch by batch, see `features.apply`; one that the cluster has not made is applied here."""
        if id(backbone) not in self.made:
            return self.own.apply(backbone, images, training, bar, out)
        return images.in_order(self._outputs(backbone, images, training, bar), out)

    def _outputs(self, backbone: Any, images: ImageBatches, training: bool, bar: tqdm) -> Iterator[np.ndarray]:
        """Yield the features of each piece of work; at the end set the running statistics, if batches update them."""
        number, _, recipe = self.made[id(backbone)]
        running: Statistics = {}
        decay = 1.0
        if hasattr(self.maker, "build"):  # a saved classifier's statistics never change
            running, decay = self.statistics(backbone), self.decay(backbone)
        updating = training and decay != 1
        self.passes += 1
        statistics = (self.passes, self._put(running)) if running and not updating else None
        of_pass = Pass((number, recipe), statistics, training, updating)
        for features, added in self.workers.results(of_pass, self._pieces(images)):
            for of_batch in added:
                running = {name: tensor * tensor.dtype.type(decay) + of_batch[name]
                           for name, tensor in running.items()}
            yield features
            bar.update(len(features))
        if updating:
            self.maker.set_statistics(backbone, running)

    def _pieces(self, images: ImageBatches) -> list[ImageBatches]:
        """Divide batches into pieces of work: three for each worker, so that all end at about the same time."""
        absolute = replace(images, files=[path.absolute() for path in images.files])
        count = len(images.batches)
        length = min(max(1, count // (3 * self.workers.number)), AT_ONCE)
        return [absolute.some(slice(start, start + length)) for start in range(0, count, length)]

    def _put(self, value: Any) -> Any:
        """Put a value where all workers can read it."""
        try:
            return self.ray.put(value)
        except self.ray.exceptions.RayError as error:
            raise ClusterError(f"compute.cluster: got no room in Ray's object store ({_first_line(error)}); expected "
                               "some hundred megabytes: start Ray with a larger --object-store-memory") from None


def connect(address: str) -> Any:
    """Connect to the cluster at `address`, as in params.yaml; return the package ray."""
    try:
        import ray
    except ImportError:
        raise ClusterError(f"compute.cluster: got {address!r}, but Ray is not installed; expected the package of "
                           "requirements.lock: `make cluster` installs it, or set compute.cluster to none") from None
    head = os.environ.get("RAY_ADDRESS", "") if address == "auto" else address
    host, _, port = head.removeprefix("ray://").rpartition(":")
    if host:
        try:
            socket.create_connection((host, int(port)), SECONDS).close()
        except (OSError, ValueError) as error:
            raise ClusterError(f"compute.cluster: got {address!r}, but nothing answers at {host}:{port} ({error}); "
                               f"expected the head of a Ray cluster: {REMEDY}") from None
    # a process of its own shows whether Ray can connect: where a head has been, Ray tries for minutes
    try:
        subprocess.run([sys.executable, "-c", f"import ray; ray.init({address!r})"], check=True, capture_output=True,
                       text=True, timeout=SECONDS_TO_CONNECT)
    except subprocess.SubprocessError as error:
        reason = f"no answer in {SECONDS_TO_CONNECT} seconds"
        if isinstance(error, subprocess.CalledProcessError):
            reason = (error.stderr.strip() or f"exit code {error.returncode}").splitlines()[-1]
        raise ClusterError(f"compute.cluster: got {address!r}, to which Ray cannot connect ({reason}); expected the "
                           f"head of a Ray cluster, with the same Ray and Python: {REMEDY}") from None
    # the code goes to nodes that do not have it
    ray.init(address, runtime_env={"py_modules": [str(Path(versus.__file__).parent)]},
             log_to_driver=False, logging_level=logging.ERROR)
    return ray


class Workers:
    """As many workers as the cluster's processors allow; those that are lost are replaced, and their work done again.

    Ray could do both, but a worker that finds no processor after a node was lost would keep its work for ever.
    """

    def __init__(self, ray: Any, compute: params.Compute, precision: str, name: str):
        self.ray, self.name, self.compute = ray, name, compute
        self.arguments = compute, precision, environment(name)
        of_nodes = [int(node["Resources"].get("CPU", 0)) for node in ray.nodes() if node["Alive"]]
        self.number = sum(processors // compute.threads for processors in of_nodes)
        if not self.number:
            raise ClusterError(f"compute.threads: got {compute.threads}, but the nodes of the cluster have "
                               f"{', '.join(map(str, of_nodes)) or 'no'} processors; expected a node with as many")
        self.queues: dict[Any, dict[Any, int]] = {}  # of each worker: number of a piece by reference to its result
        self.starting: dict[Any, Any] = {}  # worker by the reference to the end of its start
        self.losses = 0  # since the last result
        for _ in range(self.number):
            self._add()

    def _add(self) -> None:
        actor = self.ray.remote(Worker).options(num_cpus=self.compute.threads, scheduling_strategy="SPREAD")
        worker = actor.remote(self.name, self.ray.get)
        self.starting[worker.start.remote(*self.arguments)] = worker

    def results(self, of_pass: Pass, pieces: list[ImageBatches]) -> Iterator[Piece]:
        """Yield the results of all pieces of work, in order; raise what a worker raises, or ClusterError."""
        waiting, done, following = list(range(len(pieces))), dict[int, Piece](), 0  # waiting is a heap
        try:
            while following < len(pieces):
                for worker, queue in self.queues.items():
                    while waiting and len(queue) < QUEUED and waiting[0] < following + AHEAD * self.number:
                        number = heappop(waiting)
                        queue[worker.apply.remote(of_pass, pieces[number])] = number
                done |= self._finished(waiting)
                while following in done:
                    yield done.pop(following)
                    following += 1
        finally:
            for queue in self.queues.values():
                queue.clear()

    def _finished(self, waiting: list[int]) -> dict[int, Piece]:
        """Wait for something to end: return a result by the number of its piece, or note a worker started or lost."""
        worker_of = {reference: worker for worker, queue in self.queues.items() for reference in queue} | self.starting
        ready, _ = self.ray.wait(list(worker_of), timeout=SECONDS_TO_START)
        if not ready and not self.queues:
            raise ClusterError(f"compute.cluster: no worker has started in {SECONDS_TO_START} seconds; expected "
                               f"{self.compute.threads} processors of a node that nobody else uses: `ray status` shows "
                               "who does")
        for reference in ready:
            worker = worker_of[reference]
            try:
                result = self.ray.get(reference)
            except self.ray.exceptions.RayTaskError as error:
                raise self._of_worker(error) from None
            except self.ray.exceptions.RayError as error:
                self._lose(worker, waiting, error)
            else:
                if self.starting.pop(reference, None):
                    self.queues[worker] = {}
                else:
                    self.losses = 0
                    return {self.queues[worker].pop(reference): result}
        return {}

    def _of_worker(self, error: Any) -> Exception:
        """Return what a worker has raised; what Ray has raised there as ClusterError."""
        if isinstance(error.cause, self.ray.exceptions.RayError):
            return ClusterError(f"compute.cluster: got an error of Ray's on a node ({_first_line(error.cause)})")
        return error.cause

    def _lose(self, worker: Any, waiting: list[int], error: Exception) -> None:
        """Replace a worker whose process or node has ended; what it had to do is `waiting` again."""
        for number in self.queues.pop(worker, {}).values():
            heappush(waiting, number)
        self.starting = {reference: each for reference, each in self.starting.items() if each is not worker}
        self.ray.kill(worker)
        self.losses += 1
        if self.losses > LOSSES * self.number:
            raise ClusterError(f"compute.cluster: lost {self.losses} workers without a result between "
                               f"({_first_line(error)}); expected nodes that stay, with memory for a worker for each "
                               f"{self.compute.threads} processors: `ray status` shows what is left")
        self._add()


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0]
