"""A sheet of images and text, saved as PNG, whose bytes depend on nothing but what is on it.

Text is set in DejaVu Sans, which comes with matplotlib. A character that it lacks (Chinese, emoji) is set in the first
font of this machine that has it, or else written as its number, U+5916, so that different names stay different.
"""

import io
import unicodedata
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
from matplotlib import ft2font
from PIL import Image, ImageColor, ImageDraw, ImageFont

BLACK, GREY, LIGHT, WHITE = "#000000", "#666666", "#cccccc", "#ffffff"
COLOURS = ("#0072b2", "#d55e00")  # of the first and the second competitor, as in .dvc/plots: colour-blind safe
LIMIT = 1_000_000  # bytes; what would be larger gets 256 colours
LINE = 1.3  # height of a line, in sizes of its font


class Font(NamedTuple):
    """A size in pixels and a weight."""

    size: int = 12
    bold: bool = False

    @property
    def line(self) -> int:
        """The height of a line, in pixels."""
        return round(LINE * self.size)


class Sheet:
    """A white sheet of `width` pixels; `lay` and `write` draw on it, and `save` cuts it below what is drawn."""

    def __init__(self, width: int, height: int):
        self.image = Image.new("RGB", (width, height), WHITE)
        self.bottom = 0

    def lay(self, image: np.ndarray, x: int, y: int) -> None:
        """Lay an image (height, width, 3) uint8 with its top left corner at x, y, in a thin frame."""
        self.image.paste(Image.fromarray(image), (x, y))
        frame = (x - 1, y - 1, x + image.shape[1], y + image.shape[0])
        ImageDraw.Draw(self.image).rectangle(frame, outline=LIGHT)
        self.bottom = max(self.bottom, y + len(image))

    def write(self, text: str, x: float, y: int, font: Font = Font(), colour: str = BLACK, anchor: str = "left",
              width: float | None = None) -> None:
        """Write a line of text whose left or right end is at x, and its top at y; cut in the middle to `width`."""
        if width is not None:
            text = cut(text, width, font)
        if anchor == "right":
            x -= length(text, font)
        draw = ImageDraw.Draw(self.image)
        for path, part in _parts(text, font.bold):
            draw.text((x, y + font.size), part, fill=colour, font=_load(path, font.size), anchor="ls")
            x += _load(path, font.size).getlength(part)
        self.bottom = max(self.bottom, y + font.line)

    def write_lines(self, text: str, x: int, y: int, width: int, font: Font = Font(), colour: str = BLACK) -> int:
        """Write a text in lines of at most `width` pixels; return the y below it."""
        for line in wrap(text, width, font):
            self.write(line, x, y, font, colour)
            y += font.line
        return y

    def save(self, path: str | Path, margin: int) -> None:
        """Save the sheet as PNG, cut `margin` pixels below the last thing on it."""
        image = self.image.crop((0, 0, self.image.width, self.bottom + margin))
        data = _png(image)
        if len(data) > LIMIT:
            data = _png(_with_256_colours(image))
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(data)


def _with_256_colours(image: Image.Image) -> Image.Image:
    """Return the image with a palette: the colours of text and paper exactly, the others dithered."""
    own = [ImageColor.getrgb(colour) for colour in (BLACK, GREY, LIGHT, WHITE, *COLOURS)]
    number = 256 - len(own)
    palette = image.quantize(number)
    dithered = image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    colours, indices = np.asarray(image), np.asarray(dithered).copy()
    for index, colour in enumerate(own, number):
        indices[(colours == colour).all(axis=2)] = index
    result = Image.fromarray(indices, "P")
    values = (palette.getpalette() or [])[:3 * number]
    result.putpalette(values + [0] * (3 * number - len(values)) + [channel for colour in own for channel in colour])
    return result


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def fit(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize (height, width, 3) uint8 into a box, keeping its aspect ratio.

    A small image is enlarged by the largest whole factor, so that its pixels stay visible; a large one is reduced.
    """
    scale = min(width / image.shape[1], height / image.shape[0])
    if scale >= 1:
        return image.repeat(int(scale), axis=0).repeat(int(scale), axis=1)
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


def cut(text: str, width: float, font: Font = Font()) -> str:
    """Cut a text in its middle so that it is at most `width` pixels long.

    >>> cut("an extraordinarily long name", 100)
    'an ext…g name'
    """
    if length(text, font) <= width:
        return text
    for left in range(len(text) - 1, 0, -1):
        shorter = text[:(left + 1) // 2].rstrip() + "…" + text[len(text) - left // 2:].lstrip()
        if length(shorter, font) <= width:
            return shorter
    return "…"


def wrap(text: str, width: float, font: Font = Font()) -> list[str]:
    """Break a text between words into lines of at most `width` pixels; a longer word is cut in its middle."""
    lines: list[str] = []
    for word in text.split():
        word = cut(word, width, font)
        if lines and length(f"{lines[-1]} {word}", font) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def length(text: str, font: Font = Font()) -> float:
    """Return the length of a text in pixels."""
    return sum(_load(path, font.size).getlength(part) for path, part in _parts(text, font.bold))


def _parts(text: str, bold: bool) -> list[tuple[str, str]]:
    """Divide a text into runs of one font: (path of the font, what to write in it)."""
    own = str(Path(matplotlib.get_data_path(), "fonts/ttf", "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"))
    text = "".join(character if character.isprintable() else " " for character in unicodedata.normalize("NFC", text))
    characters = []
    for character in text:
        if ord(character) in _characters(own):
            characters.append((own, character))
        elif unicodedata.category(character) not in ("Mn", "Cf"):  # an accent or a joiner alone
            other = _other_font(character)
            characters.append((other, character) if other else (own, f"U+{ord(character):04X}"))
    return [(path, "".join(character for _, character in run))
            for path, run in groupby(characters, key=lambda each: each[0])]


@cache
def _load(path: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


@cache
def _characters(path: str) -> frozenset[int]:
    """The code points that a font has; none if it cannot be used."""
    try:
        ImageFont.truetype(path, 12)  # raises OSError for one of coloured bitmaps, whose only size is another
        return frozenset(ft2font.FT2Font(path).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()


@cache
def _other_font(character: str) -> str | None:
    """Return the path of the first font of this machine that has a character."""
    from matplotlib import font_manager  # only here: the first time on a machine, its import reads all fonts
    return next((path for path in sorted(font_manager.findSystemFonts()) if ord(character) in _characters(path)), None)
