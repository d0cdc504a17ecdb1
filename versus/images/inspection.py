"""What is wrong with an image file; which images show the same picture."""

import hashlib
import warnings
from pathlib import Path
from typing import NamedTuple

import cv2
import imagehash
import numpy as np
import pandas as pd
from PIL import Image, UnidentifiedImageError
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.decomposition import PCA
from sklearn.preprocessing import normalize
from tqdm import tqdm

PARTS = ("train", "validation")
COLUMNS = ("file", "class", "published", "sha256", "width", "height", "mode", "format", "problem")
# Read by Pillow itself. Its others start programs (EPS) or are no pictures (PDF, MPEG, HDF5).
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "PPM")
SMALLEST_SIDE = 8  # pixels
DEEP_MODES = ("I", "I;16", "I;16B", "I;16L", "I;16N", "F")  # Pillow turns all above 255 white in converting to RGB

# Near-duplicates. What tells them is the correlation of `_aligned`, of detail that is an image's own. On Alien vs.
# Predator (894 thumbnails) it is 0.80 or more for the pairs of the same picture, 0.69 or less for moments of one scene
# of a film, 0.50 or less otherwise. Photographs of solar cells all look alike: of the 894 of the sample 3026 pairs have
# near hashes, 56 a correlation of 0.75 or more: cells of one crystal, cut next to each other, or photographed twice.
SIDE = 64                     # pixels of a thumbnail
BLUR, NOISE = 3.0, 2.0        # radius in pixels of the surroundings; levels of luma that are noise, not detail
FITTED, PATTERNS = 2000, 100  # views that common patterns are fitted to; how many patterns at most
HASH_DISTANCE = 12            # bits of 64; 96 of the 798,342 pairs of Alien vs. Predator, mirrored ones included
ROUGH_ALIKE = 0.3             # correlation of blurred own detail that calls for a closer look, whatever the hashes say
ROUGH_DIFFERENT = 0.2         # and that makes it needless; pairs of the same picture have 0.31 or more
COLOUR_DIFFERENCE = 40.0      # levels of mean chroma; pairs of the same picture differ by 10.3 or less
SAME_WHOLE = 0.999            # correlation of luma; two solar cells reach 0.9977, most copies of one have more
SAME_OWN = 0.75
OVERLAP = 0.5                 # share of the first picture that the second, laid over it, must cover


class LayoutError(ValueError):
    """A folder of images that is neither `<class>/*` nor `{train,validation}/<class>/*`."""


def inspect(root):
    """Describe every file under `root` (`<class>/*` or `{train,validation}/<class>/*`) in a DataFrame of COLUMNS.

    Sorted by file. `width` and `height` are 0 and `mode` and `format` empty where the file does not tell;
    `problem` says why an image cannot be used, and is empty where it can. Raises LayoutError.
    """
    root = Path(root)
    files = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    if not files:
        raise LayoutError(f"got {str(root)!r}, which holds no file; expected images as <class>/* or "
                          "{train,validation}/<class>/*")
    rows = [_place(file) | _describe(root / file) for file in tqdm(files, "inspect", unit="image", disable=None)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _place(file):
    """Class and published part, as the folders in `file` tell them."""
    folders = file.split("/")[:-1]
    if len(folders) == 1:
        folders = ["", *folders]
    if len(folders) != 2 or folders[0] not in ("", *PARTS):
        raise LayoutError(f"got the file {file!r}; expected <class>/<name> or {{train,validation}}/<class>/<name>: "
                          "move or remove it")
    return {"file": file, "published": folders[0], "class": folders[1]}


def _describe(path):
    """Checksum, size, mode, format and problem of one image file."""
    found = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "width": 0, "height": 0, "mode": "",
             "format": "", "problem": ""}
    if not path.stat().st_size:
        return found | {"problem": "empty file"}
    try:
        with warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning):
            image = Image.open(path, formats=FORMATS)
        with image:
            found |= {"width": image.width, "height": image.height, "mode": image.mode, "format": image.format}
            image.load()
    except UnidentifiedImageError:
        return found | {"problem": f"cannot be decoded: none of {', '.join(FORMATS)}"}
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        return found | {"problem": f"too large: more than {Image.MAX_IMAGE_PIXELS} pixels"}
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, ValueError, struct.error and others
        return found | {"problem": f"cannot be decoded: {' '.join(str(error).split()) or type(error).__name__}"}
    if image.mode in DEEP_MODES:
        found["problem"] = f"deeper than 8 bits: mode {image.mode}"
    elif min(image.size) < SMALLEST_SIDE:
        found["problem"] = f"too small: {image.width}x{image.height}, less than {SMALLEST_SIDE} pixels a side"
    return found


class _Views(NamedTuple):
    """The images as they are and then mirrored, so that view i + n/2 is view i mirrored; n is twice the images."""

    thumbnails: np.ndarray  # (n, SIDE, SIDE, 3) uint8: luma, blue and red difference
    details: np.ndarray     # (n, SIDE, SIDE) float32: see `_detail`
    own: np.ndarray         # (n, SIDE, SIDE) float32: details without what the set has in common
    common: PCA | None      # what the set has in common, None of a set that is too small to tell


def near_duplicates(paths):
    """Find images of the same picture: copied, re-encoded, resized, cropped a little, brightened or mirrored.

    Returns for each path the index of the first member of its group, its own where it is alone: (len(paths),) int.
    A group is what chains of pairs connect. Of a picture without any structure only exact copies are found.
    """
    if len(paths) < 2:
        return np.arange(len(paths))
    views = _views(paths)
    candidates = tqdm(_candidates(views), "compare", unit="pair", disable=None)
    pairs = [(i, j % len(paths)) for i, j in candidates if _same_picture(views, i, j)]
    rows, columns = np.array(pairs, int).reshape(-1, 2).T
    graph = coo_array((np.ones(len(pairs)), (rows, columns)), shape=(len(paths), len(paths)))
    _, labels = connected_components(graph, directed=False)
    return np.unique(labels, return_index=True)[1][labels]


def _views(paths):
    upright = np.stack([_thumbnail(path) for path in tqdm(paths, "thumbnails", unit="image", disable=None)])
    thumbnails = np.concatenate([upright, upright[:, :, ::-1]])
    details = np.stack([_detail(thumbnail[..., 0]) for thumbnail in thumbnails])
    common = _common_patterns(details)
    return _Views(thumbnails, details, _own(details, common), common)


def _thumbnail(path):
    """Luma, blue and red difference of an image squeezed to a square: (SIDE, SIDE, 3) uint8."""
    with Image.open(path, formats=FORMATS) as image:
        image.draft("RGB", (4 * SIDE, 4 * SIDE))  # large JPEG files decode several times faster at a fraction of size
        picture = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(picture.convert("YCbCr"))


def _detail(luma):
    """How each pixel stands out from its surroundings, in proportion to the contrast there: like `luma`, float32."""
    luma = luma.astype(np.float32)
    detail = luma - cv2.GaussianBlur(luma, (0, 0), BLUR)
    return detail / np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), BLUR) + NOISE**2)


def _common_patterns(details):
    """Fit what the images of this set share (a mould, a frame, a backdrop) and what therefore shows no copy."""
    count = min(PATTERNS, len(details) // 16)
    if not count:
        return None
    some = details[:: -(-len(details) // FITTED)].reshape(-1, SIDE * SIDE)
    return PCA(count, svd_solver="randomized", random_state=0).fit(some)


def _own(details, common):
    """Take the set's common patterns out of `details`, (n, SIDE, SIDE)."""
    if common is None:
        return details
    flat = details.reshape(len(details), -1)
    return (flat - common.inverse_transform(common.transform(flat))).reshape(details.shape)


def _candidates(views):
    """List the views (i, j) of two images, the first upright, that are alike enough for a closer look."""
    hashes, rough, images, found = _hashes(views.thumbnails[..., 0]), _rough(views.own), len(views.own) // 2, []
    for i in range(images):
        near = np.bitwise_count(hashes[i] ^ hashes) <= HASH_DISTANCE
        chosen = np.flatnonzero(near | (rough @ rough[i] >= ROUGH_ALIKE))
        found += [(i, int(j)) for j in chosen[chosen % images > i]]
    return found


def _rough(own):
    """Own detail, blurred so that a few pixels of shift do not matter, as unit vectors: (n, SIDE**2 / 4) float32."""
    small = [cv2.resize(cv2.GaussianBlur(each, (0, 0), 2), (SIDE // 2, SIDE // 2), interpolation=cv2.INTER_AREA)
             for each in own]
    flat = np.reshape(small, (len(own), -1))
    return normalize(flat - flat.mean(1, keepdims=True))


def _hashes(lumas):
    """Perceptual hashes, 64 bits each: (n,) uint64."""
    bits = [imagehash.phash(Image.fromarray(luma)).hash.ravel() for luma in lumas]
    return np.packbits(bits, axis=1).view(np.uint64)[:, 0]


def _same_picture(views, i, j):
    """Decide by their pixels whether views i and j show the same picture."""
    one, other = views.thumbnails[i].astype(np.float32), views.thumbnails[j].astype(np.float32)
    if np.abs(one[..., 1:].mean((0, 1)) - other[..., 1:].mean((0, 1))).max() > COLOUR_DIFFERENCE:
        return False
    if np.array_equal(one, other) or _correlation(one[..., 0], other[..., 0]) >= SAME_WHOLE:
        return True
    rough = [cv2.GaussianBlur(own, (0, 0), 2) for own in (views.own[i], views.own[j])]
    return _correlation(*rough) >= ROUGH_DIFFERENT and _aligned(views, i, j) >= SAME_OWN


def _aligned(views, i, j):
    """Correlate what is each one's own, with view j moved, scaled and sheared to lie over view i; 0 if it cannot."""
    try:
        _, motion = cv2.findTransformECC(views.details[i], views.details[j], np.eye(2, 3, dtype=np.float32),
                                         cv2.MOTION_AFFINE, (3, 50, 1e-4), None, 5)
    except cv2.error:  # no convergence: nothing in common
        return 0.0
    flags = cv2.INTER_LINEAR + cv2.WARP_INVERSE_MAP
    inside = cv2.warpAffine(np.ones((SIDE, SIDE), np.float32), motion, (SIDE, SIDE), flags=flags) > 0.99
    moved = cv2.warpAffine(views.thumbnails[j][..., 0].astype(np.float32), motion, (SIDE, SIDE), flags=flags,
                           borderMode=cv2.BORDER_REFLECT)
    if inside.mean() < OVERLAP:
        return 0.0
    return _correlation(views.own[i][inside], _own(_detail(moved)[None], views.common)[0][inside])


def _correlation(one, other):
    """Pearson's correlation of two arrays of one shape; 0 where either is constant."""
    one, other = one - one.mean(), other - other.mean()
    size = np.linalg.norm(one) * np.linalg.norm(other)
    return float((one * other).sum() / size) if size > 1e-3 else 0.0
