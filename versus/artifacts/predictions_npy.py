"""The probabilities of predictions as a NumPy array, NAME.npy beside NAME.csv: (seeds, images, classes) as computed.

The images have the order of the CSV file's rows. One seed at a time is written and read, and not through a memory map,
whose pages would count as memory of the process until another one needs the room.
"""

import os
from pathlib import Path
from typing import BinaryIO

import numpy as np

from versus.artifacts.predictions import SUM_TOLERANCE, PredictionsError
from versus.artifacts.seed_by_seed import SeedBySeed

HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def beside(path: str | Path) -> Path:
    """Return where the array of the CSV file `path` is."""
    return Path(path).with_suffix(".npy")


def write_header(shape: tuple[int, ...], dtype: np.dtype, file: BinaryIO) -> None:
    """Begin an array of this shape; `write_seed` adds to it."""
    np.lib.format.write_array_header_1_0(file, {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False,
                                                "shape": shape})


def write_seed(of_seed: np.ndarray, file: BinaryIO) -> None:
    """Add the probabilities of the next seed, (images, classes)."""
    file.write(np.ascontiguousarray(of_seed).data)


def read(file: BinaryIO, shape: tuple[int, int, int], path: str | Path) -> SeedBySeed:
    """Return the array in an open file, which is read when a seed is asked for; errors name it `path`.

    Raises PredictionsError for a file that is no such array of this shape, and on reading a seed whose values are no
    probabilities. What it gives is float64, scaled to sums of exactly 1.
    """
    expected = f"expected probabilities {shape} of (seeds, images, classes) as float32 or float64, as numpy.save writes"
    try:
        actual, fortran_order, dtype = HEADERS[np.lib.format.read_magic(file)](file)
    except (ValueError, KeyError) as error:
        raise PredictionsError(f"{path}: got no array of NumPy ({error}); {expected}") from None
    start, size = file.tell(), os.fstat(file.fileno()).st_size
    if actual != shape or dtype not in (np.float32, np.float64) or fortran_order:
        raise PredictionsError(f"{path}: got {actual} as {dtype}{' in Fortran order' if fortran_order else ''}; "
                               f"{expected}")
    numbers = shape[1] * shape[2]
    if size != start + shape[0] * numbers * dtype.itemsize:
        raise PredictionsError(f"{path}: got {size:,} bytes; expected {start + shape[0] * numbers * dtype.itemsize:,}: "
                               "it is truncated, or has more than the array")

    def of_seed(seed: int) -> np.ndarray:
        file.seek(start + seed * numbers * dtype.itemsize)
        values = np.fromfile(file, dtype, numbers).reshape(shape[1:]).astype(float, copy=False)
        sums = values.sum(axis=1, keepdims=True)
        wrong = ~((values.min(axis=1) >= 0) & (np.abs(sums[:, 0] - 1) <= SUM_TOLERANCE))  # NaN included
        if wrong.any():
            image = int(wrong.argmax())
            raise PredictionsError(f"{path}: got values from {values[image].min():g} to {values[image].max():g} that "
                                   f"sum to {sums[image, 0]:g} in [{seed}, {image}], and {wrong.sum():,} such images; "
                                   "expected probabilities from 0 to 1 that sum to 1")
        values /= sums
        return values

    return SeedBySeed(shape, of_seed)
