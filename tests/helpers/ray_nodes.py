"""A Ray cluster of two nodes on this machine, and the processes of its nodes."""

import os
import signal
import time
from pathlib import Path

from ray.cluster_utils import Cluster

STORE = 100 * 2**20  # bytes of each node's object store; Ray wants 75 MiB at least


class Nodes:
    """Two nodes of `processors` each, for as many threads, whatever this machine has."""

    def __init__(self, processors):
        self.processors = processors
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        self.cluster = Cluster(initialize_head=True, head_node_args=self._arguments() | {"include_dashboard": False})
        self.add()

    def _arguments(self):
        return {"num_cpus": self.processors, "object_store_memory": STORE}

    def add(self):
        """Add the second node."""
        self.second = self.cluster.add_node(**self._arguments())

    @property
    def address(self):
        return self.cluster.address

    def worker(self):
        """Wait until the second node's worker waits for work: the id of its process."""
        (raylet,) = self.second.all_processes["raylet"]
        for _ in range(600):
            for process, title in children(raylet.process.pid):
                if title == "ray::Worker" and "libtorch_cpu" in Path(f"/proc/{process}/maps").read_text():
                    return process
            time.sleep(0.1)
        raise TimeoutError("no worker has started on the second node")


def children(parent):
    """Yield the id and the title of each of a process's children."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(status.read_text().rpartition(")")[2].split()[1]) == parent:
                yield int(status.parent.name), (status.parent / "cmdline").read_text().strip("\0 ")
        except (OSError, IndexError):  # it has ended
            pass


def stop(process):
    """Stop a process, so that it has work that it does not do."""
    os.kill(process, signal.SIGSTOP)


def kill(process):
    os.kill(process, signal.SIGKILL)
