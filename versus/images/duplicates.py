"""Find images that show the same scene: near-duplicates."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import imagehash
import numpy as np
from PIL import Image
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.decomposition import PCA
from sklearn.preprocessing import normalize
from tqdm import tqdm

from versus.images.opening import open_image

# Two images are near-duplicates if their distinctive detail correlates once one is aligned with the other
# (`_aligned_correlation`). Distinctive is what remains without the patterns that the whole set has in common.
# On Alien vs. Predator (894 thumbnails) that correlation is 0.80 or more for two copies of one image, 0.69 or less for
# two moments of one film scene, and 0.50 or less otherwise. Photographs of solar cells all look alike: of the 894 of
# the sample, 3026 pairs have similar hashes, but only 56 a correlation of 0.75 or more. These are neighbours, sawn from
# one crystal, or one cell photographed twice.
SIDE = 64                # pixels of a thumbnail
BLUR = 3.0               # pixels: standard deviation of the Gaussian that defines a pixel's surroundings
NOISE = 2.0              # pixel values of luma: weaker detail is taken for noise
MAX_FITTED = 2000        # views that the common patterns are fitted to
MAX_PATTERNS = 100       # common patterns
HASH_DISTANCE = 12       # bits of 64; 96 of the 798,342 pairs of Alien vs. Predator, mirrored ones included
COARSE_CANDIDATE = 0.3   # correlation of coarse detail from which a pair is looked at closely, whatever its hashes
COARSE_MINIMUM = 0.2     # below it a closer look is not needed; copies of one image have 0.31 or more
COLOUR_DIFFERENCE = 40.0  # pixel values of mean chroma; copies of one image differ by 10.3 or less
SAME_LUMA = 0.999        # correlation; two solar cells reach 0.9977, most copies of one cell have more
SAME_DETAIL = 0.75       # correlation of distinctive detail, aligned
OVERLAP = 0.5            # share of the first image that the second one, aligned with it, has to cover


class _Views(NamedTuple):
    """All images upright, then all mirrored: view i + n/2 is view i mirrored. n is twice the number of images."""

    thumbnails: np.ndarray   # (n, SIDE, SIDE, 3) uint8: luma, blue and red difference
    details: np.ndarray      # (n, SIDE, SIDE) float32: see `_detail`
    distinctive: np.ndarray  # (n, SIDE, SIDE) float32: details without the common patterns
    common: PCA | None       # the common patterns; None if the set is too small to tell


def near_duplicates(paths: Sequence[Path]) -> np.ndarray:
    """Group images that are copies: identical, re-encoded, resized, slightly cropped, brightened or mirrored.

    Returns for each path the index of the first member of its group, its own if it is alone: (len(paths),) int.
    Pairs are chained: if a is like b and b like c, all three are one group. Of images without any structure, such as
    plain colours, only exact copies are recognised.
    """
    if len(paths) < 2:
        return np.arange(len(paths))
    views = _views(paths)
    candidates = tqdm(_candidates(views), "compare", unit="pair", disable=None)
    pairs = [(i, j % len(paths)) for i, j in candidates if _show_the_same_scene(views, i, j)]
    rows, columns = np.array(pairs, int).reshape(-1, 2).T
    graph = coo_array((np.ones(len(pairs)), (rows, columns)), shape=(len(paths), len(paths)))
    _, groups = connected_components(graph, directed=False)
    _, first_members = np.unique(groups, return_index=True)
    return first_members[groups]


def _views(paths: Sequence[Path]) -> _Views:
    upright = np.stack([_thumbnail(path) for path in tqdm(paths, "thumbnails", unit="image", disable=None)])
    thumbnails = np.concatenate([upright, upright[:, :, ::-1]])
    details = np.stack([_detail(thumbnail[..., 0]) for thumbnail in thumbnails])
    common = _common_patterns(details)
    return _Views(thumbnails, details, _distinctive(details, common), common)


def _thumbnail(path: Path) -> np.ndarray:
    """Squeeze an image to a square: luma, blue and red difference, (SIDE, SIDE, 3) uint8."""
    with open_image(path) as image:
        image.draft("RGB", (4 * SIDE, 4 * SIDE))  # large JPEG files decode several times faster at a fraction of size
        square = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(square.convert("YCbCr"))


def _detail(luma: np.ndarray) -> np.ndarray:
    """Compute how much each pixel differs from its surroundings, relative to the contrast there: float32."""
    luma = luma.astype(np.float32)  # (SIDE, SIDE)
    detail = luma - cv2.GaussianBlur(luma, (0, 0), BLUR)
    return detail / np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), BLUR) + NOISE**2)


def _common_patterns(details: np.ndarray) -> PCA | None:
    """Fit the patterns that the images of this set share (a mould, a frame, a backdrop), which indicate no copy."""
    count = min(MAX_PATTERNS, len(details) // 16)
    if not count:
        return None
    step = math.ceil(len(details) / MAX_FITTED)
    return PCA(count, svd_solver="randomized", random_state=0).fit(details[::step].reshape(-1, SIDE * SIDE))


def _distinctive(details: np.ndarray, common: PCA | None) -> np.ndarray:
    """Remove the common patterns from `details`, (n, SIDE, SIDE)."""
    if common is None:
        return details
    flat = details.reshape(len(details), -1)
    return (flat - common.inverse_transform(common.transform(flat))).reshape(details.shape)


def _candidates(views: _Views) -> list[tuple[int, int]]:
    """List the pairs of views (i, j) that deserve a closer look: i upright, j of a later image, upright or mirrored."""
    hashes, coarse, images = _hashes(views.thumbnails[..., 0]), _coarse(views.distinctive), len(views.distinctive) // 2
    candidates = []
    for i in range(images):
        near = np.bitwise_count(hashes[i] ^ hashes) <= HASH_DISTANCE
        similar = np.flatnonzero(near | (coarse @ coarse[i] >= COARSE_CANDIDATE))
        candidates += [(i, int(j)) for j in similar[similar % images > i]]
    return candidates


def _coarse(distinctive: np.ndarray) -> np.ndarray:
    """Blur distinctive detail, so that a shift by a few pixels matters little: unit vectors, (n, SIDE**2 / 4)."""
    small = [cv2.resize(cv2.GaussianBlur(each, (0, 0), 2), (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA)
             for each in distinctive]
    flat = np.reshape(small, (len(distinctive), -1))
    return normalize(flat - flat.mean(1, keepdims=True))


def _hashes(lumas: np.ndarray) -> np.ndarray:
    """Compute perceptual hashes of 64 bits: (n,) uint64."""
    bits = [imagehash.phash(Image.fromarray(luma)).hash.ravel() for luma in lumas]
    return np.packbits(bits, axis=1).view(np.uint64)[:, 0]


def _show_the_same_scene(views: _Views, i: int, j: int) -> bool:
    """Decide from their pixels whether views i and j are near-duplicates."""
    one, other = views.thumbnails[i].astype(np.float32), views.thumbnails[j].astype(np.float32)
    if np.abs(one[..., 1:].mean((0, 1)) - other[..., 1:].mean((0, 1))).max() > COLOUR_DIFFERENCE:
        return False
    if np.array_equal(one, other) or _correlation(one[..., 0], other[..., 0]) >= SAME_LUMA:
        return True
    coarse = [cv2.GaussianBlur(views.distinctive[view], (0, 0), 2) for view in (i, j)]
    return _correlation(*coarse) >= COARSE_MINIMUM and _aligned_correlation(views, i, j) >= SAME_DETAIL


def _aligned_correlation(views: _Views, i: int, j: int) -> float:
    """Correlate distinctive detail after view j was shifted, scaled and sheared onto view i; 0 if that fails."""
    try:
        _, motion = cv2.findTransformECC(views.details[i], views.details[j], np.eye(2, 3, dtype=np.float32),
                                         cv2.MOTION_AFFINE, (3, 50, 1e-4))
    except cv2.error:  # it does not converge: the two have nothing in common
        return 0.0
    flags = cv2.INTER_LINEAR + cv2.WARP_INVERSE_MAP
    inside = cv2.warpAffine(np.ones((SIDE, SIDE), np.float32), motion, (SIDE, SIDE), flags=flags) > 0.99
    aligned = cv2.warpAffine(views.thumbnails[j][..., 0].astype(np.float32), motion, (SIDE, SIDE), flags=flags,
                             borderMode=cv2.BORDER_REFLECT)
    if inside.mean() < OVERLAP:
        return 0.0
    distinctive = _distinctive(_detail(aligned)[np.newaxis], views.common)[0]
    return _correlation(views.distinctive[i][inside], distinctive[inside])


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Compute Pearson's correlation of two arrays of one shape; 0 if either is constant."""
    one, other = one - one.mean(), other - other.mean()
    size = np.linalg.norm(one) * np.linalg.norm(other)
    return float((one * other).sum() / size) if size > 1e-3 else 0.0
