"""One training image as both competitors see it: decoded and resized, and in nine augmented views."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from versus.recipe import pixels
from versus.recipe.conventions import Default
from versus.report.sheet import COLOURS, GREY, Font, Sheet, fit

MAGNIFIED = 20  # times, differences of pixel values
VIEWS, ACROSS = 9, 3
MARGIN, GAP, WIDTH = 14, 8, 1126  # pixels
BOX = (WIDTH - 2 * MARGIN - 4 * GAP) // 5  # of the upper row
VIEW = (WIDTH - 4 * MARGIN - 4 * GAP) // 6
SMALL = Font(11)


@dataclass(frozen=True)
class Preparation:
    """How a competitor prepares images: its title, and the defaults that it follows."""

    title: str
    decode: Default
    resize: Default
    augment: Default


def draw(path: Path, views: np.ndarray, trained: int, size: int, both: tuple[Preparation, Preparation]) -> Sheet:
    """Draw an image file as `both` prepare it; `size` is the side of the network's input.

    `views` (9,) are VIEW records, the same for both; the first `trained` of them are those that training uses.
    """
    sheet = Sheet(WIDTH, 2000)
    sheet.write(f"Views of {'/'.join(path.parts[-3:])}", MARGIN, MARGIN, Font(18, bold=True), width=WIDTH - 2 * MARGIN)
    titles = [each.title for each in both]
    y = sheet.write_lines(
        f"As the networks receive it, {size} by {size} pixels; and the pixel values of {titles[1]} minus those of "
        f"{titles[0]}, magnified {MAGNIFIED} times: grey where they are equal.", MARGIN, MARGIN + 30,
        WIDTH - 2 * MARGIN, Font(13)) + GAP
    y = max(_preparation(sheet, path, size, y, both), _differences(sheet, path, size, y, both)) + GAP
    y = sheet.write_lines(
        f"Augmented, each with the same {VIEWS} random draws of shear, zoom and mirroring"
        + (f", of which training uses the first {trained}." if trained < VIEWS else "."), MARGIN, y,
        WIDTH - 2 * MARGIN, Font(13)) + GAP
    lefts = (MARGIN, WIDTH - MARGIN - ACROSS * VIEW - (ACROSS - 1) * GAP)
    below = max(_heading(sheet, x, y, ACROSS * VIEW, preparation.title, colour, preparation.augment.words)
                for x, preparation, colour in zip(lefts, both, COLOURS))
    for x, preparation in zip(lefts, both):
        image = _read(path, size, preparation.decode, preparation.resize)
        for place, view in enumerate(views):
            row, column = divmod(place, ACROSS)
            sheet.lay(fit(_whole(pixels.augment(image, view, preparation.augment.value)), VIEW, VIEW),
                      x + column * (VIEW + GAP), below + row * (VIEW + GAP))
    return sheet


def _preparation(sheet: Sheet, path: Path, size: int, y: int, both: tuple[Preparation, Preparation]) -> int:
    """Draw the image as both receive it; return the y below."""
    below = []
    for place, (preparation, colour) in enumerate(zip(both, COLOURS)):
        x = MARGIN + place * (BOX + GAP)
        image = _centre(_read(path, size, preparation.decode, preparation.resize))
        sheet.lay(_whole(image), x, y)
        below.append(_heading(sheet, x, y + BOX + 4, BOX, preparation.title, colour,
                              f"{preparation.decode.words}; resized: {preparation.resize.words}"))
    return max(below)


def _differences(sheet: Sheet, path: Path, size: int, y: int, both: tuple[Preparation, Preparation]) -> int:
    """Draw what decoding changes, what resizing changes then, and both together; return the y below."""
    one, other = both
    steps = [_read(path, size, decode, resize) for decode, resize in (
        (one.decode, one.resize), (other.decode, one.resize), (other.decode, other.resize))]
    below = []
    for place, (title, before, after) in enumerate((("decoding", 0, 1), ("resizing", 1, 2), ("both", 0, 2)), 2):
        difference = steps[after] - steps[before]
        x = MARGIN + place * (BOX + GAP)
        sheet.lay(_whole(_centre(128 + MAGNIFIED * difference)), x, y)
        said = (f"differ by {np.abs(difference).mean():.2g} of 255 on average, by {np.abs(difference).max():.0f} at "
                "most" if difference.any() else "no difference")
        below.append(_heading(sheet, x, y + BOX + 4, BOX, f"{title} × {MAGNIFIED}", "#000000", said))
    return max(below)


def _heading(sheet: Sheet, x: int, y: int, width: int, title: str, colour: str, text: str) -> int:
    """Write a title and lines of text below it; return the y below."""
    sheet.write(title, x, y, Font(12, bold=True), colour, width=width)
    return sheet.write_lines(text, x, y + Font(12).line, width, SMALL, GREY) + GAP


def _read(path: Path, size: int, decode: Default, resize: Default) -> np.ndarray:
    return pixels.read_image(path, size, pixels.PixelConventions(decode.value, resize.value))


def _centre(image: np.ndarray) -> np.ndarray:
    """Cut the middle of a square image that is larger than BOX; enlarge a small one by a whole factor."""
    edge = max(0, (len(image) - BOX) // 2)
    factor = max(1, BOX // len(image))
    return image[edge:edge + BOX, edge:edge + BOX].repeat(factor, axis=0).repeat(factor, axis=1)


def _whole(image: np.ndarray) -> np.ndarray:
    """Round and clip to whole pixel values, uint8."""
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)
