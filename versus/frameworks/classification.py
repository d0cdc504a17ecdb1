"""One framework's saved classifier in a process of its own: image files in on its input, probabilities out.

    python -m versus.frameworks.classification keras models/keras 2    # competitor, folder, threads

Each line of the input is a JSON list of plain image files (see `images.later`). Each is answered by a line, a JSON list
with the probabilities of each file in the order of the classes, or with the reason why it cannot be read.
"""

import gc
import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import Queue
from threading import Thread

import numpy as np

from versus import params
from versus.artifacts import model_info
from versus.artifacts.model_info import ModelInfo
from versus.command import run
from versus.frameworks import modules
from versus.images.opening import ImageError
from versus.recipe.conventions import PixelConventions
from versus.recipe.pixels import read_image

AHEAD = 2  # batches that are read while one is computed

Answer = list[list[float] | str]


def main(name: str, folder: str, threads: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the process that started this one, and ends it
    gc.disable()  # collecting garbage while a framework is loaded takes a third of the time
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever else prints
    info = model_info.read(folder)
    runtime, saved = modules(name, "runtime", "saved")
    runtime.start(params.Compute(threads=int(threads), device="cpu"), info.precision)
    try:
        classifier = saved.load(folder)
    except Exception as error:  # of damaged files each framework raises errors of its own
        raise ValueError(f"{folder}: the classifier cannot be loaded ({error}); expected what `dvc repro` writes: run "
                         "it again, or copy the folder again") from None
    gc.freeze()
    gc.enable()
    for pixels in batches(sys.stdin, info, int(threads)):
        images = [each for each in pixels if not isinstance(each, str)]
        rows = iter(saved.probabilities(classifier, np.stack(images)).tolist() if images else [])
        answer: Answer = [each if isinstance(each, str) else next(rows) for each in pixels]
        print(json.dumps(answer), file=answers, flush=True)
    os._exit(0)  # both frameworks take a second to go


def batches(requests: Iterable[str], info: ModelInfo, threads: int) -> Iterator[list[np.ndarray | str]]:
    """Yield, for each request, the pixels (size, size, 3) of each file, or why it cannot be read; some read ahead."""
    started: Queue[list[Future] | None] = Queue(AHEAD)

    def start() -> None:
        for request in requests:
            started.put([pool.submit(_read, path, info) for path in json.loads(request)])
        started.put(None)

    with ThreadPoolExecutor(threads) as pool:
        Thread(target=start, daemon=True).start()
        while (batch := started.get()) is not None:
            yield [each.result() for each in batch]


def _read(path: str, info: ModelInfo) -> np.ndarray | str:
    try:
        return read_image(path, info.image_size, PixelConventions(info.decode, info.resize))
    except ImageError as error:
        return str(error)


if __name__ == "__main__":
    run(main, *sys.argv[1:])
