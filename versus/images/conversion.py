"""What an image shows: which files loaders would misread, and their conversion to plain PNG files.

Decoders ignore the orientation that EXIF tells, drop transparency, cut 16 bits to the upper 8 and differ in animations.
Such images are converted once, before any framework sees them; all others stay the files that they are.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from PIL import ExifTags, Image, ImageColor, ImageOps
from tqdm import tqdm

from versus.images.opening import SUFFIXES, ImageError, open_image

if TYPE_CHECKING:  # as cv2 below not imported by `versus predict`, which starts 0.3 s earlier
    import pandas as pd

PLAIN_MODES = ("1", "L", "P", "RGB", "LA", "PA", "RGBA")
DEEP_MODES = ("I", "F")  # of Pillow, with their variants I;16 and so on: converting them, it clips all above 255
ONLY_PILLOW = ("AVIF", "HEIF", "JPEG2000")
LARGEST_PROFILE = 2**20  # bytes; Pillow refuses larger ones in PNG files unless told otherwise
DEEP, TRANSPARENT, FLAT = "more than 8 bits", "transparent", "one colour alone:"


@dataclass(frozen=True)
class Conversion:
    """How the images of a set are converted, and all those that its classifiers are given later.

    background: the colour that transparent images are laid over. deep_range: the lowest and the highest value of the
    set's deep images, which become 0 and 255; None if it has no such images.
    """

    background: str
    deep_range: tuple[float, float] | None = None


def save(conversion: Conversion, path: Path) -> None:
    """Write a set's conversion as JSON."""
    path.write_text(json.dumps(vars(conversion), indent=2) + "\n", encoding="utf-8")


def read(path: Path) -> Conversion:
    """Read what `save` wrote."""
    values = json.loads(path.read_text(encoding="utf-8"))
    return Conversion(values["background"], values["deep_range"] and tuple(values["deep_range"]))


def needed(image: Image.Image) -> tuple[str, str]:
    """Say why an opened image has to be converted, "" if not, and what else is worth knowing of it. Decodes it."""
    reasons = []
    deep, orientation = _is_deep(image), _orientation(image)
    if orientation != 1:
        reasons.append(f"EXIF orientation {orientation}")
    if image.format not in ("JPEG", "MPO") and getattr(image, "is_animated", False):
        reasons.append(f"the first of {getattr(image, 'n_frames')} {'pages' if image.format == 'TIFF' else 'frames'}")
    if len(image.info.get("icc_profile") or b"") > LARGEST_PROFILE:
        reasons.append("a colour profile of more than 1 MiB")
    image.load()
    if deep:
        reasons.append(DEEP)
    elif image.mode not in PLAIN_MODES:
        reasons.append(f"colours as {image.mode}")
    if image.format in ONLY_PILLOW:
        reasons.append(str(image.format))
    shown = image
    if image.has_transparency_data and not deep:
        alpha = image.convert("RGBA")
        if np.asarray(alpha.getchannel("A")).min() < 255:
            reasons.append(TRANSPARENT)
            shown = _over(alpha, "#12fe57")  # a colour of no image: what is see-through everywhere is flat
    return "; ".join(reasons), _flat_colour(shown)


def convert(source: Path, target: Path, conversion: Conversion) -> None:
    """Write what the image `source` shows to `target` as PNG, 8 bits grey or RGB, without loss but for deep values.

    In a set without deep images 16 bits stand for 0..65535, as the formats say; ImageError if it has another depth.
    """
    with open_image(source) as image:
        if _is_deep(image):
            shown = _scaled(deep_pixels(source), conversion.deep_range)
            alpha = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
            if alpha:
                shown = shown.convert("RGB")
                shown.putalpha(alpha)
        else:
            shown = ImageOps.exif_transpose(image)
        if shown.has_transparency_data:
            shown = _over(shown.convert("RGBA"), conversion.background)
        shown = shown.convert("L" if shown.mode in ("1", "L") else "RGB")
        shown.info = {}
        target.parent.mkdir(parents=True, exist_ok=True)
        shown.save(target, "PNG", compress_level=1)


def of_set(images: "pd.DataFrame", root: Path, background: str) -> Conversion:
    """Return the conversion of a set: usable rows of data/raw.csv, whose files are below `root`."""
    return Conversion(background, deep_range(root / row.file for row in images.itertuples()
                                             if DEEP in row.conversion.split("; ")))


@contextmanager
def converted(images: "pd.DataFrame", root: Path, conversion: Conversion) -> Iterator[list[Path]]:
    """Yield the file to use for each image below `root`, usable rows of data/raw.csv: converted where it has to be.

    Converted files are in a folder beside `root` that is removed in the end.
    """
    with TemporaryDirectory(prefix=".converted", dir=root.parent) as folder:
        files = {row.file: Path(folder, f"{row.Index}.png") for row in images.itertuples() if row.conversion}
        for file, target in tqdm(files.items(), "convert", unit="image", disable=None if files else True):
            convert(root / file, target, conversion)
        yield [files.get(file, root / file) for file in images.file]


def deep_range(paths: Iterable[Path]) -> tuple[float, float] | None:
    """Return the lowest and the highest value that any of these deep images has; None if there are none."""
    paths = list(paths)
    low, high = np.inf, -np.inf
    for path in paths:
        pixels = deep_pixels(path)
        pixels = pixels[np.isfinite(pixels)]
        if pixels.size:
            low, high = min(low, pixels.min()), max(high, pixels.max())
    if not paths:
        return None
    return (float(low), float(high)) if low <= high else (0.0, 0.0)


def deep_pixels(path: Path) -> np.ndarray:
    """Decode all bits of an image, upright: (height, width) or (height, width, 3), of the file's own numbers.

    Pillow decodes grey of any depth, but of 16-bit colours the upper 8 bits alone; OpenCV decodes these.
    """
    with open_image(path) as image:
        if image.mode.startswith(DEEP_MODES):
            return np.asarray(ImageOps.exif_transpose(image))
        orientation = _orientation(image)
    import cv2
    decoded = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if decoded is None or decoded.ndim != 3:
        raise ImageError("16-bit colours that cannot be decoded")
    return _upright(decoded[..., 2::-1], orientation)


def plain_name(name: str, form: str, converted: bool) -> str:
    """Return a file's name with a suffix that says its format, as loaders expect.

    >>> plain_name("1.jpg?w=300", "JPEG", False), plain_name("1.JPG", "JPEG", False), plain_name("1.tif", "TIFF", True)
    ('1.jpg?w=300.jpg', '1.JPG', '1.png')
    """
    suffix = Path(name).suffix.lower()
    if converted:
        return (Path(name).stem if suffix in SUFFIXES else name) + ".png"
    if suffix in SUFFIXES:
        return name
    return name + next(each for each, of in SUFFIXES.items() if of == form)


def _is_deep(image: Image.Image) -> bool:
    """Say whether a file that was opened, but not yet decoded, has more than 8 bits a value."""
    if image.mode.startswith(DEEP_MODES):
        return True
    arguments = [tile.args for tile in getattr(image, "tile", [])]
    rawmodes = [each[0] if isinstance(each, tuple) else each for each in arguments]
    return image.format in ("PNG", "TIFF", "PPM") and any("16" in str(mode) for mode in rawmodes)


def _orientation(image: Image.Image) -> int:
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # of damaged EXIF Pillow raises SyntaxError, struct.error and others
        return 1
    return orientation if orientation in range(2, 9) else 1


def _upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turn (height, width, 3) as EXIF says: its last four orientations are the first four with both axes exchanged."""
    if orientation > 4:
        pixels, orientation = pixels.transpose(1, 0, 2), {5: 1, 6: 2, 7: 3, 8: 4}[orientation]
    return {1: pixels, 2: pixels[:, ::-1], 3: pixels[::-1, ::-1], 4: pixels[::-1]}[orientation]


def _scaled(pixels: np.ndarray, limits: tuple[float, float] | None) -> Image.Image:
    if limits is None and pixels.dtype != np.uint16:
        raise ImageError(f"{DEEP}, {pixels.dtype}: expected 8 or 16, since the training images had no values of this "
                         "kind; save it with 8 bits")
    low, high = limits or (0, 65535)
    values = np.nan_to_num(pixels.astype(np.float64), nan=low, posinf=high, neginf=low)
    values = (values - low) * (255 / (high - low) if high > low else 0)
    return Image.fromarray(np.rint(values).clip(0, 255).astype(np.uint8))


def _over(image: Image.Image, background: str) -> Image.Image:
    """Lay an RGBA image over a colour."""
    ground = Image.new("RGBA", image.size, (*ImageColor.getrgb(background)[:3], 255))
    return Image.alpha_composite(ground, image).convert("RGB")


def _flat_colour(image: Image.Image) -> str:
    """Say which value all pixels have; "" if there are several."""
    extrema = (image.convert("RGB") if image.mode in ("P", "PA", "LA", "RGBA") else image).getextrema()
    pairs = extrema if isinstance(extrema[0], tuple) else (extrema,)
    return f"{FLAT} {tuple(low for low, _ in pairs)}" if all(low == high for low, high in pairs) else ""
