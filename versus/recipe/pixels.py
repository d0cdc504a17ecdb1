"""Image file to array, by either framework's convention: decode, resize, augment.

The one place where pixels are made: rounding by less than one pixel value changes the features of EfficientNet-Lite0
by 4 %. Each convention is tested against the framework's own loader that it stands for.
Arrays are (height, width, 3), RGB, 0..255.
"""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import simplejpeg
from PIL import Image

from versus.images.opening import ImageError, open_image
from versus.recipe.conventions import PixelConventions

# for each new pixel along an axis: the two old ones around it, and the weight of the second
Neighbours = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class ImageBatches:
    """Image files, and the batches in which they are read: arrays of indices into `files`.

    `views` (files,) are VIEW records that say how each file is augmented, by the convention `augment`; None leaves all
    images as they are. `threads`: how many threads read the images of a batch.
    """

    files: list[Path]
    batches: list[np.ndarray]
    size: int
    conventions: PixelConventions
    views: np.ndarray | None = None
    augment: str = ""
    threads: int = 1

    def pixels(self, index: int) -> np.ndarray:
        """Read batch `index`: (n, size, size, 3) float32, 0..255."""
        with ThreadPoolExecutor(self.threads) as readers:
            return np.stack(list(readers.map(self._image, self.batches[index])))

    def in_order(self, pieces: Iterable[np.ndarray], out: np.ndarray | None = None) -> np.ndarray:
        """Put values, which come piece by piece (images, …) in the order of the batches, into the order of the files.

        They are put into `out` (files, …), or into a new array if it is None.
        """
        order, done = np.concatenate(self.batches), 0
        for piece in pieces:
            if out is None:
                out = np.empty((len(self.files), *piece.shape[1:]), piece.dtype)
            out[order[done:done + len(piece)]] = piece
            done += len(piece)
        assert out is not None and done == len(self.files)
        return out

    def some(self, which: slice) -> "ImageBatches":
        """Return some of the batches, with the files that they hold, in their order."""
        batches = self.batches[which]
        order, ends = np.concatenate(batches), np.cumsum(list(map(len, batches)))
        return replace(self, files=[self.files[i] for i in order], batches=np.split(np.arange(len(order)), ends[:-1]),
                       views=None if self.views is None else self.views[order])

    def _image(self, i: int) -> np.ndarray:
        image = read_image(self.files[i], self.size, self.conventions)
        return image if self.views is None else augment(image, self.views[i], self.augment)


def read_image(path: str | Path, size: int, conventions: PixelConventions) -> np.ndarray:
    """Read an image file as (size, size, 3) float32, 0..255; raise ImageError if it cannot be decoded."""
    return resize(decode(path, conventions.decode), size, conventions.resize)


def decode(path: str | Path, convention: str) -> np.ndarray:
    """Decode an image file to (height, width, 3) uint8, RGB; raise ImageError if it cannot be decoded.

    "fast" is `tf.io.decode_image(channels=3)` on JPEG files: libjpeg's fast DCT with smooth upsampling of colours.
    "accurate" is Pillow. Both leave CMYK JPEG and all other formats to Pillow, with which TensorFlow's decoder agrees;
    it does not on CMYK JPEG, on GIF with transparency and on palette BMP.
    """
    try:
        with open_image(path) as image:
            if convention == "fast" and image.format in ("JPEG", "MPO") and image.mode != "CMYK":
                return _decode_fast(Path(path), image)
            return np.asarray(image.convert("RGB"))
    except (OSError, ValueError) as error:
        raise ImageError(f"{path}: got a file that cannot be decoded ({error}); expected an image: "
                         "remove it or save it again") from None


def _decode_fast(path: Path, image: Image.Image) -> np.ndarray:
    """Decode a JPEG file as TensorFlow does; `image` is the same file, opened by Pillow.

    A file whose header TurboJPEG cannot read (stray bytes, an unknown version of JFIF or colour sampling) is decoded by
    Pillow, so that whatever Pillow accepts is accepted here.
    """
    try:
        return simplejpeg.decode_jpeg(path.read_bytes(), fastdct=True, fastupsample=False)
    except ValueError:
        accurate = np.asarray(image.convert("RGB"))  # refuses a truncated file, as TensorFlow does
    try:
        return simplejpeg.decode_jpeg(path.read_bytes(), fastdct=True, fastupsample=False, strict=False)
    except ValueError:
        return accurate


def resize(image: np.ndarray, size: int, convention: str) -> np.ndarray:
    """Resize (height, width, 3) uint8 to (size, size, 3) float32, 0..255, ignoring the aspect ratio."""
    return RESIZES[convention](image, size)


def _resize_nearest(image: np.ndarray, size: int) -> np.ndarray:
    """Repeat `load_img(path, target_size=)` of Keras in 2018, and of its legacy image preprocessing today."""
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.NEAREST), np.float32)


def _resize_antialiased(image: np.ndarray, size: int) -> np.ndarray:
    """Repeat torchvision's `Resize((size, size))` on PIL images."""
    return np.asarray(Image.fromarray(image).resize((size, size), Image.Resampling.BILINEAR), np.float32)


def _resize_bilinear(image: np.ndarray, size: int) -> np.ndarray:
    """Repeat `tf.image.resize(image, (size, size), antialias=False)` bit for bit, in float32 throughout.

    Source: tensorflow/core/kernels/image/resize_bilinear_op.cc, HalfPixelScaler and compute_lerp.
    """
    return _between(image, _neighbours(image.shape[0], size), _neighbours(image.shape[1], size))


def _between(image: np.ndarray, rows: Neighbours, columns: Neighbours) -> np.ndarray:
    """Take the pixels between old rows and columns, bilinearly."""
    left, right, across = columns
    top, bottom, down = rows
    wide = _interpolate(image.take(left, 1), image.take(right, 1), across[:, None])  # (old rows, new columns, 3)
    return _interpolate(wide.take(top, 0), wide.take(bottom, 0), down[:, None, None])


def _interpolate(low: np.ndarray, high: np.ndarray, fraction: np.ndarray) -> np.ndarray:
    """Compute low + (high - low) * fraction in float32, in place where possible: several times faster."""
    low, result = low.astype(np.float32, copy=False), high.astype(np.float32, copy=False)
    result -= low
    result *= fraction
    result += low
    return result


def _neighbours(length: int, size: int) -> Neighbours:
    """For each of `size` new pixels along an axis: the two source pixels around it, the second's weight."""
    scale = np.float32(length) / np.float32(size)
    position = (np.arange(size, dtype=np.float32) + np.float32(0.5)) * scale - np.float32(0.5)
    low = np.floor(position)
    return (np.maximum(low, 0).astype(int), np.minimum(np.ceil(position), length - 1).astype(int),
            position - low)


RESIZES = {"nearest": _resize_nearest, "antialiased": _resize_antialiased, "interpolated": _resize_bilinear}


def augment(image: np.ndarray, view: np.void, convention: str) -> np.ndarray:
    """Shear, zoom and mirror (height, width, 3) float32; `view` is one row of `draws.views`.

    "per_axis" is Keras's `ImageDataGenerator(shear_range, zoom_range, horizontal_flip)` of 2018; "reflected" are
    Keras's layers `RandomFlip`, `RandomShear` and `RandomZoom` in this order; "uniform" and "stretched" are
    torchvision's `RandomAffine(0, scale=, shear=)` and `RandomHorizontalFlip` on PIL images, of today and of 2018.
    All but "per_axis" zoom by zoom_x on both axes.
    """
    return AUGMENTATIONS[convention](image, view)


def _per_axis(image: np.ndarray, view: np.void) -> np.ndarray:
    """Shear up and down, zoom each axis: bilinear, outside the nearest border pixel.

    Source: keras_preprocessing 1.0.2, image.py, apply_affine_transform, transform_matrix_offset_center: rows come
    first, and the centre lies a pixel off. Keras's legacy preprocessing of today shears left and right instead.
    """
    shear = np.deg2rad(view["shear"])
    matrix = np.array([[1, -np.sin(shear), 0], [0, np.cos(shear), 0], [0, 0, 1]])
    matrix = matrix @ np.diag([view["zoom_x"], view["zoom_y"], 1])
    y, x = image.shape[0] / 2 + 0.5, image.shape[1] / 2 + 0.5
    centre, back = np.array([[1, 0, y], [0, 1, x], [0, 0, 1]]), np.array([[1, 0, -y], [0, 1, -x], [0, 0, 1]])
    return _mirror(_transform(image, centre @ matrix @ back), view)


def _reflected(image: np.ndarray, view: np.void) -> np.ndarray:
    """Mirror, shear from the top edge by the tangent of the angle, zoom about the centre: twice bilinear.

    Source: keras/src/layers/preprocessing/image_preprocessing, random_shear.py and random_zoom.py; TensorFlow computes
    the positions in float32, this in float64. One axis after the other, which is seven times as fast as scipy.ndimage.
    """
    height, width = image.shape[:2]
    rows, columns, zoom = np.arange(height), np.arange(width), view["zoom_x"]
    sheared = _slide_rows(_mirror(image, view), np.tan(np.deg2rad(view["shear"])) * rows)
    return _between(sheared, *(_reflected_neighbours(positions * zoom + (length - 1) / 2 * (1 - zoom), length)
                               for positions, length in ((rows, height), (columns, width))))


def _slide_rows(image: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Take each row from so many pixels to the right, (rows,), bilinearly, outside reflected in the border."""
    height, width = image.shape[:2]
    low = np.floor(shifts).astype(int)
    wide = image.take(_reflected_indices(np.arange(low.min(), low.max() + width + 1), width), 1)
    begin = np.arange(height) * wide.shape[1] + low - low.min()
    left, pixels = begin[:, None] + np.arange(width), wide.reshape(-1, wide.shape[2])
    across = (shifts - low).astype(np.float32)[:, None, None]
    return _interpolate(pixels.take(left, 0), pixels.take(left + 1, 0), across)


def _reflected_neighbours(positions: np.ndarray, length: int) -> Neighbours:
    """For each position along an axis: the two pixels around it, outside those reflected in the border."""
    low = np.floor(positions).astype(int)
    return (_reflected_indices(low, length), _reflected_indices(low + 1, length),
            (positions - low).astype(np.float32))


def _reflected_indices(indices: np.ndarray, length: int) -> np.ndarray:
    """Reflect what is outside 0..length-1 in the border, as in dcba|abcd|dcba."""
    indices = indices % (2 * length)
    return np.minimum(indices, 2 * length - 1 - indices)


def _transform(image: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Transform bilinearly; `matrix` (3, 3) takes a new row and column to the old ones. Outside is the border pixel."""
    from scipy import ndimage  # only here: `versus predict`, which augments nothing, starts 0.2 s earlier
    channels = [ndimage.affine_transform(channel, matrix[:2, :2], matrix[:2, 2], order=1, mode="nearest")
                for channel in np.moveaxis(image, 2, 0)]
    return np.stack(channels, axis=2)


def _uniform(image: np.ndarray, view: np.void) -> np.ndarray:
    """Repeat torchvision's `affine(angle=0, translate=(0, 0), scale=zoom_x, shear=(shear, 0))`.

    Source: torchvision.transforms.functional._get_inverse_affine_matrix.
    """
    height, width = image.shape[:2]
    zoom, shear = view["zoom_x"], np.deg2rad(view["shear"])
    matrix = np.array([[1, np.tan(shear)], [0, 1]]) / zoom
    return _mirror(_transform_nearest(image, matrix, (width * 0.5, height * 0.5)), view)


def _stretched(image: np.ndarray, view: np.void) -> np.ndarray:
    """Repeat `affine` of torchvision in 2018: rows are divided by the shear's cosine, the centre is half a pixel off.

    Source: torchvision 0.2.1, transforms/functional.py, _get_inverse_affine_matrix and affine.
    """
    height, width = image.shape[:2]
    zoom, shear = view["zoom_x"], np.deg2rad(view["shear"])
    matrix = np.array([[1, np.tan(shear)], [0, 1 / np.cos(shear)]]) / zoom
    return _mirror(_transform_nearest(image, matrix, (width * 0.5 + 0.5, height * 0.5 + 0.5)), view)


def _transform_nearest(image: np.ndarray, matrix: np.ndarray, centre: tuple[float, float]) -> np.ndarray:
    """Transform about `centre`, nearest pixel, outside black; `matrix` (2, 2) takes a new x and y to the old ones.

    Pillow chooses the nearest pixel by geometry alone, so an image of pixel numbers is transformed once, and all
    channels are looked up by it.
    """
    (a, b), (d, e) = matrix
    x, y = centre
    inverse = (a, b, a * -x + b * -y + x, d, e, d * -x + e * -y + y)
    height, width = image.shape[:2]
    numbers = Image.fromarray(np.arange(height * width, dtype=np.int32).reshape(height, width))
    nearest = numbers.transform((width, height), Image.Transform.AFFINE, inverse, Image.Resampling.NEAREST,
                                fillcolor=height * width)
    pixels = np.concatenate([image.reshape(-1, 3), np.zeros((1, 3), image.dtype)])  # the last one is outside
    return pixels.take(np.asarray(nearest), 0)


def _mirror(image: np.ndarray, view: np.void) -> np.ndarray:
    return np.ascontiguousarray(image[:, ::-1]) if view["flip"] else image


AUGMENTATIONS = {"per_axis": _per_axis, "reflected": _reflected, "uniform": _uniform, "stretched": _stretched}
