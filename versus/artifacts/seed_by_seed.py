"""Arrays of several seeds of which one seed's part is in memory at a time."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


class SeedBySeed:
    """A (seeds, images, classes) array whose seeds are read or computed each time they are asked for.

    It is used as an array is: `values[seed]`, `values[:5]` for the first seeds, `for of_seed in values`. What a seed
    gives, (images, classes), is the caller's own.
    """

    def __init__(self, shape: tuple[int, int, int], of_seed: Callable[[int], np.ndarray]):
        self.shape = shape
        self._of_seed = of_seed

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[np.ndarray]:
        return map(self._of_seed, range(len(self)))

    def __getitem__(self, which: int | slice) -> Any:
        seeds = range(len(self))[which]
        if isinstance(seeds, int):
            return self._of_seed(seeds)
        return SeedBySeed((len(seeds), *self.shape[1:]), lambda seed: self._of_seed(seeds[seed]))

    def with_classes(self, order: list[int]) -> "SeedBySeed":
        """Return the classes `order`, in that order."""
        return SeedBySeed((*self.shape[:2], len(order)), lambda seed: self._of_seed(seed)[:, order])
