"""Detail by which an image is recognised: what differs from its surroundings, and from what the whole set shows."""

import math
from typing import NamedTuple

import cv2
import numpy as np
from sklearn.decomposition import PCA

from versus.images.duplicates.thumbnails import SIDE

FINE = 3.0           # pixels: standard deviation of the Gaussian that defines a pixel's surroundings
COARSE = 6.0         # the same, for detail that survives a crop by a few pixels
NOISE = 2.0          # pixel values of luma: weaker detail is taken for noise
MAX_FITTED = 2000    # views that the common patterns are fitted to
MAX_PATTERNS = 100   # common patterns


class CommonPatterns(NamedTuple):
    """Patterns that the images of a set share (a mould, a frame, a backdrop), which indicate no copy."""

    mean: np.ndarray      # (SIDE**2,) float32
    patterns: np.ndarray  # (patterns, SIDE**2) float32: orthonormal; none if the set is too small to tell

    def remove(self, details: np.ndarray) -> np.ndarray:
        """Return `details`, (n, SIDE, SIDE), without these patterns."""
        if not len(self.patterns):
            return details
        flat = details.reshape(len(details), -1) - self.mean
        return (flat - flat @ self.patterns.T @ self.patterns).reshape(details.shape)


def detail(luma: np.ndarray, blur: float) -> np.ndarray:
    """Compute how much each pixel differs from its surroundings, relative to the contrast there: float32."""
    luma = luma.astype(np.float32)  # (height, width)
    difference = luma - cv2.GaussianBlur(luma, (0, 0), blur)
    return difference / np.sqrt(cv2.GaussianBlur(difference * difference, (0, 0), blur) + NOISE**2)


def common_patterns(lumas: np.ndarray) -> CommonPatterns:
    """Fit the patterns that images, (n, SIDE, SIDE) uint8, and their mirror images have in common."""
    views = 2 * len(lumas)
    count = min(MAX_PATTERNS, views // 16)
    if not count:
        return CommonPatterns(np.zeros(SIDE**2, np.float32), np.zeros((0, SIDE**2), np.float32))
    fitted = [view(lumas, i) for i in range(0, views, math.ceil(views / MAX_FITTED))]
    flat = np.reshape([detail(each, FINE) for each in fitted], (-1, SIDE**2))
    pca = PCA(count, svd_solver="randomized", random_state=0).fit(flat)
    return CommonPatterns(pca.mean_, pca.components_)


def view(lumas: np.ndarray, i: int) -> np.ndarray:
    """Return image i of n upright or, as view n + i, mirrored."""
    return lumas[i] if i < len(lumas) else lumas[i - len(lumas), :, ::-1]
