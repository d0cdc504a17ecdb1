"""Images inside the page: small JPEGs as data URIs, of files and of what the frameworks make of them."""

import base64
import io
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from versus import params
from versus.images import dataset
from versus.recipe import draws, pixels
from versus.recipe.conventions import Default
from versus.report.sheet import fit

SIDE, QUALITY = 150, 80  # pixels, JPEG
VIEWS = 3  # augmented views of each sample
SAMPLES = 4  # of training images, each of another class


class Sample(NamedTuple):
    """A training image before and after augmentation; `prepared` and `views` are both competitors'."""

    file: str
    original: str
    prepared: tuple[str, str]
    views: tuple[list[str], list[str]]


class Preparation(NamedTuple):
    """How a competitor prepares images: the defaults that it follows."""

    decode: Default
    resize: Default
    augment: Default


def jpeg(image: np.ndarray, side: int = SIDE) -> str:
    """Embed pixels (height, width, 3) 0..255, made to fit into a square of `side`."""
    small = fit(np.clip(np.rint(image), 0, 255).astype(np.uint8), side, side)
    file = io.BytesIO()
    Image.fromarray(small).save(file, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode()


def of_file(path: Path) -> str:
    """Embed an image file; "" if it is not there."""
    return jpeg(pixels.decode(path, "accurate")) if path.is_file() else ""


def samples(settings: params.Params, both: tuple[Preparation, Preparation], folder: Path) -> list[Sample]:
    """Show the first training image of each class, of SAMPLES classes at most, as both prepare it.

    None where the images are not on this machine, as on one that has all else from a remote.
    """
    if not folder.is_dir():
        return []
    train = dataset.read(folder, "train")
    number = {"views": max(VIEWS, settings.extract.views)}
    drawn = draws.views(settings.extract.model_copy(update=number), len(train.files))  # begin as extraction's do
    first = [int(np.flatnonzero(train.labels == label)[0]) for label in range(min(SAMPLES, len(train.classes)))]
    return [_sample(train.files[place], drawn[:VIEWS, place], settings.model.image_size, both) for place in first]


def _sample(path: Path, views: np.ndarray, size: int, both: tuple[Preparation, Preparation]) -> Sample:
    images = [pixels.read_image(path, size, pixels.PixelConventions(each.decode.value, each.resize.value))
              for each in both]
    one, other = ([jpeg(pixels.augment(image, view, each.augment.value)) for view in views]
                  for image, each in zip(images, both))
    return Sample("/".join(path.parts[-2:]), of_file(path), (jpeg(images[0]), jpeg(images[1])), (one, other))
