"""Small folders of images as people have them, made from scratch."""

from pathlib import Path

import numpy as np
from PIL import Image

NOISE = Image.Resampling.BICUBIC


def photo(seed, size=(40, 30)):
    """An image with structure, unlike that of any other seed."""
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 8, 3), np.uint8)
    return Image.fromarray(pixels).resize(size, NOISE)


def lay(top, *folders, count=3):
    """Put `count` images, each unlike all others, into every one of `folders` below `top`."""
    for number, folder in enumerate(folders):
        for index in range(count):
            save(photo([number, index]), Path(top, folder, f"{index}.png"))
    return Path(top)


def save(image, path, **how):
    """Save an image, with the folders that it needs."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, **how)
    return path


def write(path, content=""):
    """Write a text or bytes, with the folders that they need."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path
