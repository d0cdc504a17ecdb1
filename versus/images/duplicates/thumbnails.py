"""Read images as small squares of equal size, several at once."""

import os
from collections.abc import Sequence
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps
from tqdm import tqdm

from versus.images.opening import open_image

SIDE = 64  # pixels of a thumbnail


class Thumbnails(NamedTuple):
    """Images squeezed to squares, as they are shown: turned as their EXIF tag says."""

    lumas: np.ndarray    # (n, SIDE, SIDE) uint8
    colours: np.ndarray  # (n, 2) float32: mean blue and red difference, pixel values


def read(paths: Sequence[Path]) -> Thumbnails:
    """Read the thumbnails of `paths`; needs 4 KiB of memory for each, and a few decoded images at a time."""
    lumas = np.empty((len(paths), SIDE, SIDE), np.uint8)
    colours = np.empty((len(paths), 2), np.float32)
    with ThreadPool(os.cpu_count()) as pool:  # Pillow decodes outside Python's lock
        squares = pool.imap(_square, paths, chunksize=16)
        for i, square in enumerate(tqdm(squares, "thumbnails", len(paths), unit="image", disable=None)):
            lumas[i], colours[i] = square
    return Thumbnails(lumas, colours)


def _square(path: Path) -> tuple[np.ndarray, np.ndarray]:
    with open_image(path) as image:
        image.draft("RGB", (4 * SIDE, 4 * SIDE))  # large JPEG files decode several times faster at a fraction of size
        upright = ImageOps.exif_transpose(image)
        square = upright.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    pixels = np.asarray(square.convert("YCbCr"))
    return pixels[..., 0], pixels[..., 1:].mean((0, 1), dtype=np.float32)
