"""Find for each image those that it resembles most: exact search, in blocks.

Each view of an image, upright or mirrored, has two descriptors, unit vectors that are compared by their inner product:
one of distinctive detail, for sets whose images are all alike, and one of coarse detail, which a crop changes little.

Descriptors are rounded to integers so small that every partial sum of an inner product is exact in float32. So it
depends neither on the order of summation nor on threads or processor, as approximate indices do.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from tqdm import tqdm

from versus.images.duplicates.detail import COARSE, FINE, CommonPatterns, detail, view

GRID = 16                # a descriptor has GRID**2 numbers
LENGTH = 4000            # of a descriptor: LENGTH**2 < 2**24, up to which float32 represents every integer
BLUR = {"distinctive": 3.0, "coarse": 4.0}  # pixels: standard deviation, so that a small shift matters little
MINIMUM = {"distinctive": 0.25, "coarse": 0.5}  # cosine: pairs below it are never copies
NEAREST = 6              # views listed for each image and descriptor
BATCH = 1024             # views described, or images compared, at a time
BLOCK = 8192             # views that they are compared with at a time


def pairs(lumas: np.ndarray, common: CommonPatterns) -> Iterator[np.ndarray]:
    """Yield pairs of images that may show the same, the likeliest first: the nearest of each image, the next, ...

    Each pair is a row (i, j, mirrored) of an (n, 3) int array: i < j, and whether j has to be mirrored to resemble i.
    None comes twice.
    """
    nearest = [_nearest(descriptors(lumas, common, kind), kind) for kind in BLUR]
    seen = np.empty((0, 3), int)
    for rank in range(NEAREST):
        new = np.unique(np.concatenate([_rows(table[:, rank]) for table in nearest]), axis=0)
        new = new[~_are_in(new, seen, len(lumas))]
        seen = np.concatenate([seen, new])
        yield new


def descriptors(lumas: np.ndarray, common: CommonPatterns, kind: str) -> np.ndarray:
    """Describe all images upright, then all mirrored: (2 * n, GRID**2) float32, whole numbers."""
    result = np.empty((2 * len(lumas), GRID**2), np.float32)
    for start in tqdm(range(0, len(result), BATCH), f"{kind} detail", unit="batch", disable=None):
        views = [view(lumas, i) for i in range(start, min(start + BATCH, len(result)))]
        details = np.stack([detail(luma, FINE if kind == "distinctive" else COARSE) for luma in views])
        if kind == "distinctive":
            details = common.remove(details)
        small = [cv2.resize(cv2.GaussianBlur(each, (0, 0), BLUR[kind]), (GRID, GRID), interpolation=cv2.INTER_AREA)
                 for each in details]
        flat = np.reshape(small, (len(small), -1))
        flat = flat - flat.mean(1, keepdims=True)
        size = np.linalg.norm(flat, axis=1, keepdims=True)
        result[start:start + BATCH] = np.rint(LENGTH * flat / np.maximum(size, 1e-3))
    return result


def _nearest(descriptors: np.ndarray, kind: str) -> np.ndarray:
    """List for each image the views nearest to it: (n, NEAREST) int, the nearest first, -1 where there is none."""
    images = len(descriptors) // 2
    result = np.full((images, NEAREST), -1)
    for start in tqdm(range(0, images, BATCH), f"compare {kind}", unit="batch", disable=None):
        rows = np.arange(start, min(start + BATCH, images))
        best = np.full((len(rows), NEAREST), -1), np.full((len(rows), NEAREST), MINIMUM[kind] * LENGTH**2, np.float32)
        for block in range(0, len(descriptors), BLOCK):
            products = descriptors[rows] @ descriptors[block:block + BLOCK].T
            for own in (rows - block, rows + images - block):  # an image is not its own neighbour
                inside = (own >= 0) & (own < products.shape[1])
                products[np.flatnonzero(inside), own[inside]] = 0
            best = _better(*best, products, block)
        result[rows] = best[0]
    return result


def _better(columns: np.ndarray, products: np.ndarray, new: np.ndarray, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Update the best `columns` and `products`, (rows, NEAREST), with `new` products, of columns from `first` on."""
    limit = products[:, -1]
    if new.shape[1] > NEAREST:
        limit = np.maximum(limit, np.nextafter(np.partition(new, -NEAREST)[:, -NEAREST], 0)) if first == 0 else limit
    rows, added = np.nonzero(new > limit[:, np.newaxis])
    old_rows = np.repeat(np.arange(len(columns)), NEAREST)
    rows = np.concatenate([old_rows, rows])
    values = np.concatenate([products.ravel(), new[rows[len(old_rows):], added]])
    names = np.concatenate([columns.ravel(), added + first])
    order = np.lexsort((names, -values, rows))  # of equal products the first column, so that the result is one
    rank = np.arange(len(order)) - np.searchsorted(rows[order], rows[order])
    nearest = order[rank < NEAREST]
    return names[nearest].reshape(columns.shape), values[nearest].reshape(products.shape)


def _rows(views: np.ndarray) -> np.ndarray:
    """Turn the neighbour of each image, (n,), into rows (i, j, mirrored) with i < j."""
    images = np.flatnonzero(views >= 0)
    others, mirrored = views[images] % len(views), views[images] >= len(views)
    return np.stack([np.minimum(images, others), np.maximum(images, others), mirrored], axis=1)


def _are_in(rows: np.ndarray, seen: np.ndarray, images: int) -> np.ndarray:
    """Say of each row (i, j, mirrored) whether it is among those `seen`."""
    scale = np.array([2 * images, 2, 1])
    return np.isin(rows @ scale, seen @ scale)
