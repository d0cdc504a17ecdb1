"""Plant copies of images, of the kinds that near-duplicates come in."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image

ORIENTATION = 0x0112  # EXIF tag
TURN_BACK = 8         # its value for pixels that were turned by 90 degrees clockwise


def _jpeg(image: Image.Image, quality: int = 75) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(stream)


def _cropped(image: Image.Image) -> Image.Image:
    """Cut 10 % off the width and off the height, not evenly."""
    width, height = image.size
    return image.crop((round(0.07 * width), round(0.03 * height), round(0.97 * width), round(0.93 * height)))


KINDS: dict[str, Callable[[Image.Image], Image.Image]] = {
    "re-encoded": _jpeg,
    "resized": lambda image: _jpeg(image.resize((image.width * 2 // 3, image.height * 2 // 3)), 90),
    "cropped": lambda image: _jpeg(_cropped(image), 90),
    "mirrored": lambda image: _jpeg(image.transpose(Image.Transpose.FLIP_LEFT_RIGHT), 90),
    "brightened": lambda image: _jpeg(image.point(lambda value: min(255, 20 + value * 1.2)), 90),
    "turned": lambda image: image.transpose(Image.Transpose.ROTATE_270),
}


def plant(paths: Sequence[Path], folder: Path, of_each_kind: int) -> list[tuple[str, int, Path]]:
    """Write copies of images spread evenly over `paths`: the kind, the index of the original, and the file of each."""
    step = max(1, len(paths) // (of_each_kind * len(KINDS)))
    originals = range(0, step * of_each_kind * len(KINDS), step)
    return [_copy(list(KINDS)[k % len(KINDS)], i, paths, folder) for k, i in enumerate(originals) if i < len(paths)]


def _copy(kind: str, i: int, paths: Sequence[Path], folder: Path) -> tuple[str, int, Path]:
    path = folder / kind / f"{i:06}.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    exif[ORIENTATION] = TURN_BACK if kind == "turned" else 1
    with Image.open(paths[i]) as image:
        KINDS[kind](image.convert("RGB")).save(path, "JPEG", quality=90, exif=exif)
    return kind, i, path
