"""A grid of images, each with what the classifiers say of it, as in the article of 2018."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from versus.frameworks import COMPETITORS
from versus.frameworks.stream import Result
from versus.recipe import pixels
from versus.report.classified import name_of, ranked
from versus.report.gallery import percent
from versus.report.sheet import COLOURS, GREY, Font, Sheet, fit

SIDE, GAP = 224, 14  # pixels: of an image at most, between images
COLUMNS, MOST = 6, 48  # images in a row, and in all; those that follow are not drawn
LINES = 2  # of text over an image


class Grid:
    """The first images, and over each a line for each framework: its most probable class, and that one's percentage.

    Where a file cannot be used, its name and the reason.
    """

    def __init__(self, images: int, classes: Sequence[str]):
        self.images, self.classes, self.drawn = min(images, MOST), classes, 0
        self.columns = min(COLUMNS, self.images)
        self.height = LINES * Font().line + SIDE + GAP
        rows = math.ceil(self.images / self.columns)
        self.sheet = Sheet(self.columns * (SIDE + GAP) + GAP, GAP + rows * self.height)

    def write(self, result: Result) -> None:
        """Draw an image in the next place, as long as there is one."""
        if self.drawn == self.images:
            return
        row, column = divmod(self.drawn, self.columns)
        x, y = GAP + column * (SIDE + GAP), GAP + row * self.height
        lines = [(f"{COMPETITORS[name].title}: {percent(value)} {label}", colour)
                 for (name, own), colour in zip(result.probabilities.items(), COLOURS)
                 for label, value in ranked(own, self.classes, 1)]
        for line, colour in lines or [(name_of(Path(result.file.name)), GREY)]:
            self.sheet.write(line, x, y, Font(), colour, width=SIDE)
            y += Font().line
        if result.problem:
            self.sheet.write_lines(result.problem, x, y, SIDE, Font(), GREY)
        elif result.plain:
            self.sheet.lay(fit(pixels.decode(result.plain, "accurate"), SIDE, SIDE), x, y)
        self.drawn += 1


@contextmanager
def drawn(path: Path, images: int, classes: Sequence[str]) -> Iterator[Grid]:
    """Yield a grid for so many images, and write it to `path` in the end; raise ValueError if that cannot be done."""
    if path.suffix.lower() != ".png":
        raise ValueError(f"{path}: got the suffix {path.suffix!r}; expected a PNG file, such as grid.png")
    grid = Grid(images, classes)
    yield grid
    try:
        grid.sheet.save(path, GAP)
    except OSError as error:
        raise ValueError(f"{path}: cannot be written ({error}); expected a file that can be written") from None
