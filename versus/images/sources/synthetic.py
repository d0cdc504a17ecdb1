"""The source `synthetic`: drawn images of any number of classes, for tests and for large data sets."""

import colorsys
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image, ImageDraw
from tqdm import tqdm

from versus import params
from versus.images.sources.tree import File

# Corners of the shapes: distances from the centre, at equal angles.
SHAPES: tuple[list[float], ...] = ([1] * 3, [1] * 4, [1] * 36, [1, 0.35] * 4, [1, 0.5] * 6)
HUES = 5
STRIPES = (0, 3, 6, 12)  # with SHAPES and HUES as many classes as params.yaml allows: 100


def fetch(settings: params.Data, split: params.Split, target: Path) -> list[File]:
    """Draw `settings.classes` classes of `settings.per_class` JPEG images: shapes in different hues and stripes."""
    images = [(label, index) for label in range(settings.classes) for index in range(settings.per_class)]
    files = []
    for label, index in tqdm(images, desc="drawing", unit="image", disable=None):
        # a generator for each image, so that more images or classes leave the others unchanged
        pixels = _draw(label, np.random.default_rng([settings.seed, label, index]))
        path = PurePosixPath(f"class_{label:02d}", f"{index:05d}.jpg")
        (target / path.parent).mkdir(exist_ok=True)
        Image.fromarray(pixels).save(target / path, quality=90)
        files.append(File(path, path.parent.name, target=path.as_posix()))
    return files


def _draw(label: int, rng: np.random.Generator) -> np.ndarray:
    """Draw the shape of class `label` in its hue and stripes, all else at random: (80..300, 80..300, 3) uint8."""
    height, width = (int(side) for side in rng.integers(80, 301, 2))
    label, shape = divmod(label, len(SHAPES))
    stripes, hue = divmod(label, HUES)
    mask, distance = _shape(SHAPES[shape], width, height, rng)
    light = 1 - 0.5 * (np.sin(STRIPES[stripes] * distance) > 0)
    colour = 255 * np.array(colorsys.hsv_to_rgb(hue / HUES + rng.uniform(-0.06, 0.06), 0.7, rng.uniform(0.6, 1)))
    pixels = np.where(mask[..., None], light[..., None] * colour, rng.uniform(0, 255, 3))
    return np.clip(pixels + rng.integers(-50, 51, pixels.shape), 0, 255).astype(np.uint8)


def _shape(radii: list[float], width: int, height: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Place a turned polygon at random.

    Returns its mask, (height, width) bool, and each pixel's distance from its centre along its axis, in multiples of
    its radius, (height, width) float64.
    """
    radius = rng.uniform(0.2, 0.45) * min(width, height)
    x, y = rng.uniform(0.35, 0.65, 2) * (width, height)
    turn = rng.uniform(0, 2 * np.pi)
    angles = turn + 2 * np.pi * np.arange(len(radii)) / len(radii)
    corners = (x, y) + radius * np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)
    mask = Image.new("1", (width, height))
    ImageDraw.Draw(mask).polygon(corners.ravel().tolist(), fill=1)
    down, right = np.ogrid[:height, :width]
    return np.asarray(mask), ((right - x) * np.cos(turn) + (down - y) * np.sin(turn)) / radius
