"""The probabilities of predictions as a NumPy array, NAME.npy beside NAME.csv: (seeds, images, classes) as computed.

The images have the order of the CSV file's rows.
"""

import os
from pathlib import Path
from typing import BinaryIO

import numpy as np

from versus.artifacts import npy
from versus.artifacts.predictions import SUM_TOLERANCE, PredictionsError
from versus.artifacts.seed_by_seed import SeedBySeed


def beside(path: str | Path) -> Path:
    """Return where the array of the CSV file `path` is."""
    return Path(path).with_suffix(".npy")


def read(file: BinaryIO, shape: tuple[int, int, int], path: str | Path) -> SeedBySeed:
    """Return the array in an open file, which is read when a seed is asked for; errors name it `path`.

    Raises PredictionsError for a file that is no such array of this shape, and on reading a seed whose values are no
    probabilities. What it gives is float64, scaled to sums of exactly 1.
    """
    expected = f"expected probabilities {shape} of (seeds, images, classes) as float32 or float64, as numpy.save writes"
    try:
        header = npy.read_header(file)
    except ValueError as error:
        raise PredictionsError(f"{path}: got no array of NumPy ({error}); {expected}") from None
    if header.shape != shape or header.dtype not in (np.float32, np.float64) or header.fortran_order:
        raise PredictionsError(f"{path}: got {header.shape} as {header.dtype}"
                               f"{' in Fortran order' if header.fortran_order else ''}; {expected}")
    size, right = os.fstat(file.fileno()).st_size, header.start + int(np.prod(shape)) * header.dtype.itemsize
    if size != right:
        raise PredictionsError(f"{path}: got {size:,} bytes; expected {right:,}: it is truncated, or has more than the "
                               "array")

    def of_seed(seed: int) -> np.ndarray:
        values = npy.read_seed(seed, header, file).astype(float, copy=False)
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
