"""Arrays in NumPy's .npy files, (seeds, images, classes), that are written and read one seed at a time.

Not through a memory map, whose pages would count as memory of the process until another one needs the room.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from versus.artifacts.seed_by_seed import SeedBySeed

_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


class Header(NamedTuple):
    """What a .npy file says of its array. start: where its numbers begin, in bytes."""

    shape: tuple[int, ...]
    fortran_order: bool
    dtype: np.dtype
    start: int


def read_header(file: BinaryIO) -> Header:
    """Read the header of an open file; raise ValueError if it has none."""
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"version {version} of the format")
    return Header(*_HEADERS[version](file), file.tell())


def read_seed(seed: int, header: Header, file: BinaryIO) -> np.ndarray:
    """Read the numbers of one seed, (images, classes), as they were written."""
    numbers = int(np.prod(header.shape[1:]))
    file.seek(header.start + seed * numbers * header.dtype.itemsize)
    return np.fromfile(file, header.dtype, numbers).reshape(header.shape[1:])


def read(path: str | Path) -> SeedBySeed:
    """Read what `save` wrote: a seed's numbers are read each time they are asked for."""
    def of_seed(seed: int) -> np.ndarray:
        with open(path, "rb") as file:
            return read_seed(seed, read_header(file), file)

    with open(path, "rb") as file:
        seeds, images, classes = read_header(file).shape
    return SeedBySeed((seeds, images, classes), of_seed)


class Writer:
    """An open file that gets the numbers of one seed after the other; `seeds` is how many there will be."""

    def __init__(self, seeds: int, file: BinaryIO):
        self.seeds, self.file, self.begun = seeds, file, False

    def write(self, of_seed: np.ndarray) -> None:
        """Add the numbers of the next seed, (images, classes)."""
        if not self.begun:
            header = {"descr": np.lib.format.dtype_to_descr(of_seed.dtype), "fortran_order": False,
                      "shape": (self.seeds, *of_seed.shape)}
            np.lib.format.write_array_header_1_0(self.file, header)
            self.begun = True
        self.file.write(np.ascontiguousarray(of_seed).data)


def save(values: Iterable[np.ndarray], seeds: int, path: str | Path) -> None:
    """Write the numbers of all seeds, (images, classes) each, as they come."""
    with open(path, "wb") as file:
        writer = Writer(seeds, file)
        for of_seed in values:
            writer.write(of_seed)
