"""Saved classifiers, each framework's in a process of its own: this side of `classification`."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import IO

from versus.artifacts import model_info
from versus.artifacts.model_info import ModelInfo
from versus.params import FRAMEWORKS


class WorkerError(ValueError):
    """A classifier that is not there, or whose process ended."""


class Worker:
    """The process of one framework's classifier. It loads while others go on; answers come in the order of requests."""

    def __init__(self, framework: str, folder: Path, threads: int):
        self.framework = framework
        command = [sys.executable, "-m", "versus.frameworks.classification", framework, str(folder), str(threads)]
        paths = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths),
                                    "OMP_WAIT_POLICY": "PASSIVE"}  # processes share the cores: waiting must not spin
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        encoding="utf-8", env=environment)
        self._answers: Queue[str] = Queue()
        Thread(target=self._listen, args=(self.process.stdout,), daemon=True).start()

    def _listen(self, stream: IO[str]) -> None:
        for line in stream:
            self._answers.put(line)
        self._answers.put("")

    def request(self, files: Sequence[Path]) -> None:
        """Ask for the probabilities of plain image files."""
        assert self.process.stdin
        try:
            print(json.dumps(list(map(str, files))), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            self._ended()

    def answer(self) -> list[list[float] | str]:
        """Wait for the answer to the first request that has none: for each file probabilities, or why not."""
        line = self._answers.get()
        if not line:
            self._ended()
        return json.loads(line)

    def _ended(self) -> None:
        raise WorkerError(f"the process of {self.framework} ended with exit code {self.process.wait()}; what it said "
                          "stands above (that of a framework that is not installed: leave it out by --framework)")

    def close(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                try:
                    stream.close()
                except OSError:
                    pass


def available(models: Path, framework: str | None) -> dict[str, ModelInfo]:
    """Return what is known of the classifiers in `models`: of `framework`, or of all that are there.

    Raises WorkerError if there are none, or if they are not of one run.
    """
    names = [framework] if framework else [name for name in FRAMEWORKS if (models / name / "model.json").exists()]
    if not names:
        raise WorkerError(f"{models}: got no classifiers; expected the folder models that `dvc repro` writes, with "
                          f"{' or '.join(FRAMEWORKS)} in it: name it by --models")
    infos = {name: model_info.read(models / name) for name in names}
    if len({(*info.classes, info.background, info.deep_range) for info in infos.values()}) > 1:
        raise WorkerError(f"{models}: got classifiers of different runs, {' and '.join(names)}, whose classes or "
                          "conversions differ; expected those of one run: run `dvc repro`, or name one by --framework")
    return infos


class Workers:
    """The processes of the frameworks' classifiers: all load at once, and share the cores."""

    def __init__(self, models: Path, frameworks: Sequence[str]):
        self.cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        threads = max(1, self.cores // len(frameworks))
        self.each = [Worker(name, models / name, threads) for name in frameworks]

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.each:
            worker.close()
