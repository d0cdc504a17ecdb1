"""Images through the saved classifiers, in flat memory, however many there are."""

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from versus.frameworks.workers import Workers
from versus.images.conversion import Conversion
from versus.images.later import plain_file
from versus.images.opening import ImageError

BATCH = 32  # images
AHEAD = 2   # batches that are opened, and as many that are computed, while the first is waited for

Opening = tuple[Path, Future[Path]]


class Result(NamedTuple):
    """What the classifiers say of one file: probabilities by framework, in the order of the classes, or a problem."""

    file: Path
    plain: Path | None  # what they read, None if it cannot be used
    probabilities: dict[str, Any]
    problem: str = ""


def classify(workers: Workers, files: Iterable[Path], how: Conversion, folder: Path) -> Iterator[Result]:
    """Yield a result for each file, in their order, as they come.

    Files that have to be converted are so in `folder`; whoever gets a result may remove its file there.
    """
    names, remaining = map(str, itertools.count()), iter(files)
    batches = iter(lambda: list(itertools.islice(remaining, BATCH)), [])
    with ThreadPoolExecutor(workers.cores) as pool:
        opening = ([(file, pool.submit(plain_file, file, how, folder, next(names))) for file in batch]
                   for batch in batches)
        opened = deque(itertools.islice(opening, AHEAD))
        asked: deque[list[Result]] = deque()
        while opened or asked:
            if opened and len(asked) <= AHEAD:
                asked.append(_ask(workers, opened.popleft()))
                opened.extend(itertools.islice(opening, 1))
            else:
                yield from _answered(workers, asked.popleft())


def _ask(workers: Workers, batch: list[Opening]) -> list[Result]:
    """Send the files of a batch that can be used to all classifiers; return what is known of it so far."""
    results = []
    for file, opened in batch:
        try:
            results.append(Result(file, opened.result(), {}))
        except ImageError as error:
            results.append(Result(file, None, {}, str(error)))
    for worker in workers.each:
        worker.request([result.plain for result in results if result.plain])
    return results


def _answered(workers: Workers, results: list[Result]) -> list[Result]:
    """Complete the results of the oldest batch that has not been answered."""
    answers = {worker.framework: iter(worker.answer()) for worker in workers.each}
    complete = []
    for result in results:
        if result.plain:
            own = {framework: next(answer) for framework, answer in answers.items()}
            problem = next((each for each in own.values() if isinstance(each, str)), "")
            result = result._replace(problem=problem, probabilities={} if problem else own)
        complete.append(result)
    return complete
