"""A grid of images, each with what the classifiers say of it, as in the article of 2018."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from versus.frameworks import COMPETITORS
from versus.frameworks.stream import Result
from versus.images.opening import open_image
from versus.report.classified import ranked

SIDE = 224       # pixels of an image
LINE = 22        # pixels of a line of text
GAP = 12         # pixels between images
MOST = 48        # images; those that follow are not drawn
COLUMNS = 6


class Grid:
    """The first images, each with a line for each framework: the most probable class, and its probability in %."""

    def __init__(self, images: int, classes: Sequence[str]):
        self.images, self.classes = min(images, MOST), classes
        self.cells: list[Image.Image] = []
        self.font = ImageFont.load_default(LINE - 7)

    def write(self, result: Result) -> None:
        if len(self.cells) < self.images:
            self.cells.append(self._cell(result))

    def _cell(self, result: Result) -> Image.Image:
        lines = [f"{COMPETITORS[name].title}: {value:.0%} {label}" for name, own in result.probabilities.items()
                 for label, value in ranked(own, self.classes, 1)]
        cell = Image.new("RGB", (SIDE, SIDE + 2 * LINE), "white")
        drawing = ImageDraw.Draw(cell)
        for number, line in enumerate(lines or [result.file.name, result.problem]):
            drawing.text((SIDE / 2, LINE * (number + 0.5)), self._shortened(line), "black", self.font, "mm")
        if result.plain and not result.problem:
            with open_image(result.plain) as image:
                image.draft("RGB", (2 * SIDE, 2 * SIDE))
                shown = image.convert("RGB")
                shown.thumbnail((SIDE, SIDE))
            cell.paste(shown, ((SIDE - shown.width) // 2, 2 * LINE))
        return cell

    def _shortened(self, line: str) -> str:
        while self.font.getlength(line) > SIDE:
            line = line[:-2] + "…"
        return line

    def image(self) -> Image.Image:
        """Return the cells in rows."""
        columns = min(COLUMNS, len(self.cells))
        rows = math.ceil(len(self.cells) / columns)
        width, height = self.cells[0].size
        whole = Image.new("RGB", (columns * (width + GAP) + GAP, rows * (height + GAP) + GAP), "white")
        for number, cell in enumerate(self.cells):
            row, column = divmod(number, columns)
            whole.paste(cell, (GAP + column * (width + GAP), GAP + row * (height + GAP)))
        return whole


@contextmanager
def drawn(path: Path, images: int, classes: Sequence[str]) -> Iterator[Grid]:
    """Yield a grid for so many images, and write it to `path` in the end; raise ValueError if that cannot be done."""
    if path.suffix.lower() not in Image.registered_extensions():
        raise ValueError(f"{path}: got no suffix of an image file; expected one such as grid.png")
    grid = Grid(images, classes)
    yield grid
    try:
        grid.image().save(path)
    except (OSError, ValueError) as error:
        raise ValueError(f"{path}: cannot be written ({error}); expected a file that can be written") from None
