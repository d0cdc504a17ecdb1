"""Find images that show the same scene: near-duplicates."""

import os
from collections.abc import Sequence
from functools import partial
from hashlib import sha256
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from versus.images.duplicates import neighbours, thumbnails, verification
from versus.images.duplicates.detail import CommonPatterns, common_patterns


class Duplicates(NamedTuple):
    """For each image the index of the first member of its group, its own if it is alone: (n,) int."""

    near: np.ndarray  # groups of copies: identical, re-encoded, resized, slightly cropped, brightened or mirrored
    same: np.ndarray  # groups of images that show the same pixel by pixel, but for encoding and size

    def among(self, rows: np.ndarray, count: int) -> "Duplicates":
        """Return the same groups, if these images are `rows` of `count`; the others are alone."""
        spread = Duplicates(np.arange(count), np.arange(count))
        for groups, own in zip(spread, self):
            groups[rows] = rows[own]
        return spread


def near_duplicates(paths: Sequence[Path]) -> Duplicates:
    """Group images that are copies of each other.

    Pairs are chained: if a is like b and b like c, all three are one group. Of images without any structure, such as
    plain colours, only exact copies are recognised. Each image is compared with its nearest neighbours only, and not
    with those that are in its group already: time grows with the number of images, not of pairs, but for the search
    for neighbours (`neighbours`).
    """
    if len(paths) < 2:
        return Duplicates(np.arange(len(paths)), np.arange(len(paths)))
    images = thumbnails.read(paths)
    near = same = _identical(images)
    common = common_patterns(images.lumas)
    with ThreadPool(os.cpu_count()) as pool:  # OpenCV computes outside Python's lock
        for candidates in neighbours.pairs(images.lumas, common):
            apart = candidates[near[candidates[:, 0]] != near[candidates[:, 1]]]
            with threadpool_limits(1, "blas"):  # the pool's threads suffice: more of them wait for each other
                likeness = pool.imap(partial(_compare, images, common), apart.tolist(), chunksize=64)
                results = list(tqdm(likeness, "verify", len(apart), unit="pair", disable=None))
            near = _join(near, apart[[result.near for result in results]])
            same = _join(same, apart[[result.same for result in results]])
    return Duplicates(near, same)


def _identical(images: thumbnails.Thumbnails) -> np.ndarray:
    """Group images whose thumbnails are the same."""
    first: dict[bytes, int] = {}
    keys = (sha256(luma.tobytes() + colour.tobytes()).digest() for luma, colour in zip(*images))
    return np.array([first.setdefault(key, i) for i, key in enumerate(keys)])


def _compare(images: thumbnails.Thumbnails, common: CommonPatterns, pair: list) -> verification.Likeness:
    return verification.compare(images, common, *pair)


def _join(groups: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Join groups, (n,) int, of which `pairs`, rows (i, j, ...), have a member each; name them by the first member."""
    rows, columns = groups[pairs[:, 0]], groups[pairs[:, 1]]
    graph = coo_array((np.ones(len(pairs)), (rows, columns)), shape=(len(groups), len(groups)))
    _, labels = connected_components(graph, directed=False)
    _, first_members = np.unique(labels[groups], return_index=True)
    return first_members[np.unique(labels[groups], return_inverse=True)[1]]
