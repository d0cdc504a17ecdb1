"""The one door through which image files are opened."""

import logging
import warnings
from pathlib import Path

import pillow_heif
from PIL import Image, PngImagePlugin, UnidentifiedImageError
from PIL.TiffImagePlugin import ImageFileDirectory_v2

# The formats that Pillow decodes itself, and HEIF. Of its others some start programs (EPS) or are no images (HDF5).
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM", "AVIF", "JPEG2000", "HEIF")
SUFFIXES = {".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".mpo": "MPO", ".png": "PNG",
            ".apng": "PNG", ".gif": "GIF", ".bmp": "BMP", ".dib": "BMP", ".webp": "WEBP", ".tif": "TIFF",
            ".tiff": "TIFF", ".ppm": "PPM", ".pgm": "PPM", ".pbm": "PPM", ".pnm": "PPM", ".avif": "AVIF",
            ".jp2": "JPEG2000", ".j2k": "JPEG2000", ".heic": "HEIF", ".heif": "HEIF"}
JPEG_START = b"\xff\xd8"
TIFF_STARTS = (b"II*\0", b"MM\0*")
SAMPLES_PER_PIXEL = 277  # tag of TIFF
# What else bears the names of images: the place and the bytes, in lower case, by which it is known.
OTHER_KINDS = [
    (128, b"dicm", "a DICOM file: export it as PNG first"), (0, b"\x5c\1\0\0", "a NIfTI volume"),
    (0, b"<!doctype html", "an HTML page"), (0, b"<html", "an HTML page"), (0, b"<?xml", "an XML text"),
    (0, b"<svg", "an SVG drawing: export it as PNG first"), (0, b"%pdf", "a PDF document"),
    (0, b"pk\3\4", "a ZIP archive"), (0, b"\x89hdf", "an HDF5 file"),
    (4, b"ftyphe", "a HEIC image that is incomplete"), (4, b"ftypmif1", "a HEIC image that is incomplete"),
    (4, b"ftyp", "a video")]

pillow_heif.register_heif_opener(thumbnails=False)
Image.MAX_IMAGE_PIXELS = 200_000_000  # 600 MB as RGB; telephones make images of that size
PngImagePlugin.MAX_TEXT_CHUNK = 64 * 2**20  # Pillow counts a colour profile as text; some have several MiB
# `open_image` compares the size itself: warnings cannot be turned into errors for one call where threads open images.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")  # of damaged tags, one line for every file
logging.getLogger("PIL").setLevel(logging.CRITICAL)  # says what `unreadable` says, without the name of the file


class ImageError(ValueError):
    """An image file that cannot or must not be decoded."""


def open_image(path: str | Path) -> Image.Image:
    """Open an image file without decoding its pixels.

    Raises ImageError if it has more than Image.MAX_IMAGE_PIXELS pixels, and whatever else Pillow raises, such as
    UnidentifiedImageError if its format is none of FORMATS.
    """
    try:
        image = Image.open(path, formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):  # a caller may turn warnings into errors
        raise _too_large() from None
    if Image.MAX_IMAGE_PIXELS is not None and image.width * image.height > Image.MAX_IMAGE_PIXELS:
        image.close()
        raise _too_large()
    return image


def is_image(path: str | Path) -> bool:
    """Say whether a file is an image by its content: whether its header can be read, whatever its name."""
    try:
        with open_image(path):
            return True
    except UnidentifiedImageError:
        return _bands(Path(path)) > 0
    except ImageError:
        return True
    except Exception:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error and others
        return False


def is_jpeg(path: str | Path) -> bool:
    """Say whether a file begins as JPEG files do, whatever its name."""
    with open(path, "rb") as file:
        return file.read(len(JPEG_START)) == JPEG_START


def unreadable(path: str | Path) -> str:
    """Say what a file is that `open_image` cannot identify."""
    with open(path, "rb") as file:
        start = file.read(256)
    if bands := _bands(Path(path)):
        return (f"a TIFF file of {bands} bands: expected grey or colours, 1 to 4; make RGB images of three of the "
                "bands first")
    for place, mark, kind in OTHER_KINDS:
        if start[place:].lower().startswith(mark):
            return f"cannot be decoded: {kind}"
    return f"cannot be decoded: none of {', '.join(FORMATS)}"


def _bands(path: Path) -> int:
    """Return how many values a pixel of a TIFF file has; 0 if it is none, or its header cannot be read."""
    try:
        with open(path, "rb") as file:
            header = file.read(8)
            if not header.startswith(TIFF_STARTS):
                return 0
            directory = ImageFileDirectory_v2(header)
            file.seek(directory.next)
            directory.load(file)
            return int(directory.get(SAMPLES_PER_PIXEL, 1))
    except Exception:  # as above
        return 0


def _too_large() -> ImageError:
    return ImageError(f"too large: more than {Image.MAX_IMAGE_PIXELS} pixels")
