"""`python -m versus predict`: what the saved classifiers say of images, written while they are classified."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

from versus.frameworks import COMPETITORS, workers
from versus.frameworks.workers import Workers
from versus.report.numbers import plural

STANDARD_OUTPUT = "-"


class InputError(ValueError):
    """Images or output files that cannot be used."""


def predict(images: Sequence[str], models: Path, framework: str | None, top: int, outputs: dict[str, str]) -> None:
    """Classify image files, and those in folders, by the classifiers in `models`, of one `framework` or of all.

    outputs: the files to write, by the keys csv, json ("-": standard output) and plot; "" for none. Without csv and
    json a line for each file is printed. Exits with 1 if there are files that cannot be used.
    """
    infos = workers.available(models, framework)
    info, frameworks = next(iter(infos.values())), list(infos)
    with Workers(models, frameworks) as loading, ExitStack() as stack:
        # imported while the frameworks load, which takes as long
        from tqdm import tqdm

        from versus.frameworks.stream import classify
        from versus.images import later
        from versus.images.conversion import Conversion
        from versus.report import classified
        files, others = later.files_of(images)
        if not files:
            raise InputError(f"{', '.join(images)}: got no images; expected image files, or folders with some")
        writers: list[classified.Writer] = []
        if outputs["csv"]:
            writers.append(classified.Csv(stack.enter_context(opened(outputs["csv"])), frameworks, info.classes, top))
        if outputs["json"]:
            writers.append(classified.Json(stack.enter_context(opened(outputs["json"])), info.classes, top))
        if not writers:
            writers.append(classified.Lines(tqdm.write, files, frameworks, info.classes, top))
        if outputs["plot"]:
            from versus.report import grid
            writers.append(stack.enter_context(grid.drawn(Path(outputs["plot"]), len(files), info.classes)))
        folder = Path(stack.enter_context(TemporaryDirectory()))
        how, unusable = Conversion(info.background, info.deep_range), 0
        titles = " and ".join(COMPETITORS[name].title for name in frameworks)
        for result in tqdm(classify(loading, files, how, folder), titles, len(files), unit="image", disable=None):
            for writer in writers:
                writer.write(result)
            unusable += bool(result.problem)
            if result.plain and result.plain.parent == folder:
                result.plain.unlink()
    if not others and not unusable:
        return
    if others:
        print(f"left out: {plural(len(others), 'other file')}, such as {others[0].path} ({others[0].left_out})",
              file=sys.stderr)
    if unusable:
        sys.exit(f"{unusable:,} of {plural(len(files), 'file')} cannot be used")


@contextmanager
def opened(path: str) -> Iterator[TextIO]:
    """Open a file to write text; "-" is the standard output. Raises InputError."""
    if path == STANDARD_OUTPUT:
        yield sys.stdout
        return
    try:
        with open(path, "w", encoding="utf-8", newline="") as stream:
            yield stream
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}; expected a file that can be written") from None
