"""The one door through which image files are opened."""

import warnings
from pathlib import Path

from PIL import Image

# The formats that Pillow decodes itself. Of its others some start programs (EPS) or are no images (PDF, MPEG, HDF5).
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
JPEG_START = b"\xff\xd8"

# `open_image` compares the size itself: warnings cannot be turned into errors for one call where threads open images.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


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


def is_jpeg(path: str | Path) -> bool:
    """Say whether a file begins as JPEG files do, whatever its name."""
    with open(path, "rb") as file:
        return file.read(len(JPEG_START)) == JPEG_START


def _too_large() -> ImageError:
    return ImageError(f"too large: more than {Image.MAX_IMAGE_PIXELS} pixels")
