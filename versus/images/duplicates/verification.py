"""Decide from their pixels whether two images are near-duplicates.

Two images are near-duplicates if their distinctive detail correlates once one is aligned with the other. Distinctive is
what remains without the patterns that the whole set has in common. On Alien vs. Predator (894 thumbnails) that
correlation is 0.80 or more for two copies of one image, 0.69 or less for two moments of one film scene, and 0.50 or
less otherwise. Photographs of solar cells all look alike: the few pairs that reach 0.75 are neighbours, sawn from one
crystal, or one cell photographed twice.
"""

from typing import NamedTuple

import cv2
import numpy as np

from versus.images.duplicates.detail import COARSE, FINE, CommonPatterns, detail
from versus.images.duplicates.thumbnails import SIDE, Thumbnails

COLOUR_DIFFERENCE = 40.0  # pixel values of mean chroma; copies of one image differ by 10.3 or less
SAME_LUMA = 0.999        # correlation; two solar cells reach 0.9977, most copies of one cell have more
SAME_DETAIL = 0.75       # correlation of distinctive detail, aligned
SAME_DETAIL_BACK = 0.65  # the same the other way round: patterns of the set that are shifted are removed one way only
ALIGNED_LUMA = 0.998     # correlation, aligned, from which ALIGNED_DETAIL suffices: little of a digit is distinctive
ALIGNED_DETAIL = 0.4     # correlation of distinctive detail, aligned
COARSE_MINIMUM = 0.5     # correlation of coarse detail, aligned roughly, below which a closer look is not needed
OVERLAP = 0.5            # share of the first image that the second one, aligned with it, has to cover
TURN = 0.03              # sine of the turn or shear of an alignment; copies have 0.02 or less, two digits any
ROUGH_TURN = 0.1         # the same, of the rough alignment
NO_MOTION = np.eye(2, 3, dtype=np.float32)
INVERSE = cv2.INTER_LINEAR + cv2.WARP_INVERSE_MAP


class Likeness(NamedTuple):
    """What two images have in common."""

    near: bool  # they are near-duplicates
    same: bool  # they show the same, pixel by pixel, but for encoding and size


def compare(thumbnails: Thumbnails, common: CommonPatterns, i: int, j: int, mirrored: bool) -> Likeness:
    """Compare images i and j, j mirrored or not."""
    if np.abs(thumbnails.colours[i] - thumbnails.colours[j]).max() > COLOUR_DIFFERENCE:
        return Likeness(False, False)
    one, other = thumbnails.lumas[i], thumbnails.lumas[j]
    if mirrored:
        other = np.ascontiguousarray(other[:, ::-1])
    if _correlation(one.astype(np.float32), other.astype(np.float32)) >= SAME_LUMA:
        return Likeness(True, not mirrored)
    return Likeness(_show_the_same_scene(one, other, common), False)


def _show_the_same_scene(one: np.ndarray, other: np.ndarray, common: CommonPatterns) -> bool:
    """Say whether distinctive detail correlates after one image was shifted, scaled and sheared onto the other."""
    motion = _rough_alignment(one, other)
    if motion is not None:
        motion = _align(detail(one, FINE), detail(other, FINE), motion, 50, 1e-4)
    if motion is None or _turn(motion) > TURN:
        return False
    likeness, luma = _aligned_correlations(one, other, motion, common)
    if likeness < SAME_DETAIL:
        return likeness >= ALIGNED_DETAIL and luma >= ALIGNED_LUMA
    back, _ = _aligned_correlations(other, one, cv2.invertAffineTransform(motion), common)
    return back >= SAME_DETAIL_BACK


def _aligned_correlations(one: np.ndarray, other: np.ndarray, motion: np.ndarray, common: CommonPatterns
                          ) -> tuple[float, float]:
    """Correlate the distinctive detail and the luma of `one` with those of `other` moved onto it; 0 if it misses."""
    inside = _inside(motion, SIDE)
    if inside.mean() < OVERLAP:
        return 0.0, 0.0
    aligned = cv2.warpAffine(other.astype(np.float32), motion, (SIDE, SIDE), flags=INVERSE,
                             borderMode=cv2.BORDER_REFLECT)
    distinctive = common.remove(np.stack([detail(one, FINE), detail(aligned, FINE)]))
    return (_correlation(distinctive[0][inside], distinctive[1][inside]),
            _correlation(one.astype(np.float32)[inside], aligned[inside]))


def _rough_alignment(one: np.ndarray, other: np.ndarray) -> np.ndarray | None:
    """Find the motion from `one` to `other` at half their size; None if they have too little in common."""
    half = SIDE // 2
    coarse = [cv2.resize(cv2.GaussianBlur(detail(luma, COARSE), (0, 0), 2), (half, half), interpolation=cv2.INTER_AREA)
              for luma in (one, other)]
    motion = _align(coarse[0], coarse[1], NO_MOTION, 15, 1e-3)
    if motion is None or _turn(motion) > ROUGH_TURN:
        return None
    inside = _inside(motion, half)
    aligned = cv2.warpAffine(coarse[1], motion, (half, half), flags=INVERSE)
    if inside.mean() < OVERLAP or _correlation(coarse[0][inside], aligned[inside]) < COARSE_MINIMUM:
        return None
    return motion * np.array([1, 1, 2], np.float32)  # shifts count in pixels


def _align(one: np.ndarray, other: np.ndarray, motion: np.ndarray, iterations: int, precision: float
           ) -> np.ndarray | None:
    """Improve the affine `motion` from `one` to `other`, (2, 3) float32; None if the two have nothing in common."""
    try:
        _, better = cv2.findTransformECC(one, other, motion.copy(), cv2.MOTION_AFFINE, (3, iterations, precision))
    except cv2.error:  # it does not converge
        return None
    return better


def _turn(motion: np.ndarray) -> float:
    return float(max(abs(motion[0, 1]), abs(motion[1, 0])))


def _inside(motion: np.ndarray, side: int) -> np.ndarray:
    """Mark the pixels of the first image that the second one covers: (side, side) bool."""
    return cv2.warpAffine(np.ones((side, side), np.float32), motion, (side, side), flags=INVERSE) > 0.99


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    """Compute Pearson's correlation of two arrays of one shape; 0 if either is constant."""
    one, other = one - one.mean(), other - other.mean()
    size = np.linalg.norm(one) * np.linalg.norm(other)
    return float((one * other).sum() / size) if size > 1e-3 else 0.0
