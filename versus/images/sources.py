"""Where the images come from: sample, kaggle, folder or synthetic, all as <class>/* or {train,validation}/<class>/*."""

import colorsys
import importlib.resources
import shutil
import tarfile
import zipfile
import zlib
from pathlib import Path

import kagglehub
import numpy as np
import pandas as pd
import requests
from kagglehub.cache import delete_from_cache, get_cached_archive_path
from kagglehub.clients import build_kaggle_client
from kagglehub.exceptions import DataCorruptionError, KaggleApiHTTPError
from kagglehub.handle import parse_dataset_handle
from kagglesdk.datasets.types.dataset_api_service import ApiGetDatasetRequest
from PIL import Image, ImageDraw
from tqdm import tqdm

# Lower-case name of a folder: the part that it holds.
PARTS = {"train": "train", "training": "train", "test": "test", "testing": "test",
         "validation": "validation", "valid": "validation", "val": "validation"}
LAYOUTS = "<class>/* or {train,validation}/<class>/*"
OTHER_SOURCES = ("set data.source to sample (photographs that are installed already), "
                 "folder (images of your own in data.folder) or synthetic (drawn pictures)")
BROKEN_ARCHIVE = (DataCorruptionError, ValueError, EOFError, zlib.error, zipfile.BadZipFile, tarfile.TarError,
                  RuntimeError)  # of zipfile, for a password or a compression that it does not know
# Corners of the shapes of `synthetic`: distances from the centre, at equal angles.
SHAPES = ([1] * 3, [1] * 4, [1] * 36, [1, 0.35] * 4, [1, 0.5] * 6)
HUES, STRIPES = 5, (0, 3, 6, 12)  # with SHAPES as many classes as params.yaml allows: 100

IMAGE_SUFFIXES = {suffix for suffix, form in Image.registered_extensions().items() if form in Image.OPEN}


class SourceError(ValueError):
    """Images that cannot be had; the message says what was got, what was expected and what to do."""


def fetch(data, target):
    """Bring the images of `data.source` to the folder `target`, in the place of what is there, whole or not at all."""
    target = Path(target)
    unfinished = target.with_name(f".{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        unfinished.mkdir(parents=True)
        SOURCES[data.source](data, unfinished)
        shutil.rmtree(target, ignore_errors=True)
        unfinished.rename(target)
    except OSError as error:
        raise SourceError(f"data.source {data.source!r}: {error}; expected files that can be read, and room and leave "
                          f"to write in {str(target.parent)!r}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _sample(data, target):
    """Copy `data.per_class` photographs each of defective and functional solar cells (elpv-dataset, CC BY-NC-SA)."""
    top = Path(str(importlib.resources.files("elpv_dataset") / "data"))
    table = pd.read_csv(top / "labels.csv", sep=r"\s+", names=["file", "defect_probability", "type"])
    rng = np.random.default_rng(data.seed)
    tree = {}
    for name, probability in {"defective": 1.0, "functional": 0.0}.items():
        files = table.file[table.defect_probability == probability].to_numpy()
        if data.per_class > len(files):
            raise SourceError(f"data.per_class: got {data.per_class}; expected at most {len(files)} for data.source "
                              f"'sample', which has no more images of class {name!r}")
        tree[Path(name)] = [top / file for file in np.sort(rng.choice(files, data.per_class, replace=False))]
    _copy(tree, target)


def _folder(data, target):
    """Copy the images of `data.folder`, which is laid out in either way."""
    _copy(_read_tree(Path(data.folder)), target)


def _kaggle(data, target):
    """Download `data.kaggle`, or find it in kagglehub's cache, and copy its classes or its own split."""
    handle = parse_dataset_handle(data.kaggle)
    top = _download(handle)
    try:
        tree = _read_tree(_find_tree(top))
    except SourceError as error:
        delete_from_cache(handle)  # a copy that somebody damaged must not fail the next run, too
        raise SourceError(f"data.kaggle: got {data.kaggle!r}, whose archive is not what was expected: {error}. The "
                          "copy in kagglehub's cache is removed; run again, or name another dataset") from error
    _copy(tree, target)


def _download(handle):
    """Return the folder to which kagglehub has brought and unpacked the dataset.

    kagglehub never tries again by itself, but asks only for the rest where a part of the archive is there, be it of an
    earlier run: so it is called again as long as the archive grows.
    """
    archive = Path(get_cached_archive_path(handle))
    while True:
        before = archive.stat().st_size if archive.is_file() else 0
        try:
            return Path(kagglehub.dataset_download(str(handle)))
        except KaggleApiHTTPError as error:
            raise SourceError(_refusal(handle, error.response.status_code)) from error
        except requests.RequestException as error:
            if not archive.is_file() or archive.stat().st_size <= before:
                raise SourceError(f"data.kaggle: no connection, or a broken one; expected {handle.to_url()} in reach. "
                                  f"Run again (what has come is kept), or {OTHER_SOURCES}. Reason: {error}") from error
        except BROKEN_ARCHIVE as error:
            _discard(handle, archive, before, error)


def _discard(handle, archive, before, error):
    """Remove what cannot be unpacked; raise SourceError unless a beginning left by an earlier run may be to blame."""
    if not archive.is_file() and not isinstance(error, DataCorruptionError):
        raise SourceError(f"data.kaggle: {error}; expected Kaggle's settings to be in order or absent") from error
    archive.unlink(missing_ok=True)
    delete_from_cache(handle)
    if not before:
        raise SourceError(f"data.kaggle: got {str(handle)!r}, whose download is not a whole zip or tar archive "
                          f"({str(error).strip()}); expected one with {LAYOUTS} in it. It is removed from kagglehub's "
                          "cache; run again, or name another dataset") from error


def _refusal(handle, status):
    """Say why Kaggle has answered with the HTTP `status` instead of the archive."""
    got = f"data.kaggle: got {str(handle)!r}"
    if status == 404 and (newest := _newest_version(handle)):
        return f"{got}, a version that Kaggle does not have; expected at most versions/{newest}, the newest"
    if status == 404:
        return f"{got}, which Kaggle does not know (404); expected owner/dataset as in its page's address and a version"
    if status in (401, 403):
        return (f"{got}, which Kaggle does not hand out without an account or consent ({status}); expected a public "
                f"dataset. Agree to its terms at {handle.to_url()} and save an access token of your account "
                "(https://www.kaggle.com/settings) as ~/.kaggle/access_token, or name another dataset")
    return f"{got}, which Kaggle answers with HTTP status {status}; expected 200. Try again later, or {OTHER_SOURCES}"


def _newest_version(handle):
    """Ask Kaggle for the number of the dataset's newest version: 0 if it does not say."""
    request = ApiGetDatasetRequest()
    request.owner_slug, request.dataset_slug = handle.owner, handle.dataset
    try:
        with build_kaggle_client() as client:
            return client.datasets.dataset_api_client.get_dataset(request).current_version_number
    except requests.RequestException:
        return 0


def _find_tree(top):
    """Find the folder of an unpacked archive that holds a split or else classes: the outermost, if there are copies."""
    folders = list(_walk(top))
    for holds in (_holds_split, _holds_classes):
        if found := [folder for folder in folders if holds(folder)]:
            outermost = [folder for folder in found if len(folder.parts) == len(found[0].parts)]
            if any(_contents(folder) != _contents(outermost[0]) for folder in outermost[1:]):
                raise SourceError(f"got several sets of images in it, {_names(outermost)}; expected one")
            return outermost[0]
    raise SourceError(f"got no folders of images in it; expected {LAYOUTS}")


def _holds_split(folder):
    parts = _parts(folder)
    return bool(parts) and all(any(map(_images, _folders(part))) for part in parts.values())


def _holds_classes(folder):
    return sum(bool(_images(inner)) for inner in _folders(folder)) >= 2


def _contents(top):
    return {file.relative_to(top): file.stat().st_size for folder in _walk(top) for file in _images(folder)}


def _read_tree(root):
    """Return the images of `root` as {class or part/class: files}; raise SourceError if it is laid out wrongly.

    With a validation part, `test` is left out, as is whatever lies beside the parts or classes; a line says so.
    """
    parts = _parts(root) or {"": root}
    tree = {Path(part, folder.name): _class_images(folder) for part, top in parts.items() for folder in _folders(top)}
    _check_classes(root, parts)
    beside = [folder for folder in _folders(root) if folder not in parts.values()] if "train" in parts else []
    beside += [image for top in {root, *parts.values()} for image in _images(top)]
    if beside:
        tqdm.write(f"{root}: left out {_names(path.relative_to(root) for path in beside)}")
    return tree


def _check_classes(root, parts):
    """Raise SourceError unless each part has two classes or more, and all have the same."""
    classes = {top.name: {folder.name for folder in _folders(top)} for top in parts.values()}
    for part, names in classes.items():
        if len(names) < 2:
            raise SourceError(f"got {len(names)} folders of images in {part!r} of {str(root)!r}; expected two or more, "
                              f"one for each class: {LAYOUTS}")
    if differing := set.union(*classes.values()) - set.intersection(*classes.values()):
        raise SourceError(f"got classes in one part of {str(root)!r} only, {_names(differing)}; expected the same "
                          f"folders in {_names(classes)}")


def _class_images(folder):
    """Return the images of the class `folder`; raise SourceError if there are none, or if there are more below it."""
    deeper = next((image for inner in _walk(folder) if inner != folder for image in _images(inner)), None)
    if deeper:
        raise SourceError(f"got an image at {str(deeper)!r}, below {folder.name!r}; expected {LAYOUTS} and nothing "
                          "deeper. Name the folder right above the classes or parts, or move the images up")
    if images := _images(folder):
        return images
    raise SourceError(f"got no images in {str(folder)!r}; expected files that end in .jpg, .png or what else Pillow "
                      "reads. Add some, or remove the folder")


def _parts(root):
    """Return a split tree's folders as {"train": path, "validation": path}, or {} if `root` is none."""
    found = {}
    for folder in _folders(root):
        found.setdefault(PARTS.get(folder.name.lower()), []).append(folder)
    pair = {"train": found.get("train"), "validation": found.get("validation") or found.get("test")}
    if not all(pair.values()):
        return {}
    if twice := [part for part in pair.values() if len(part) > 1]:
        raise SourceError(f"{str(root)!r}: got two folders for one part, {_names(f.name for f in twice[0])}; expected "
                          "one training and one validation part. Rename or remove one")
    return {part: folders[0] for part, folders in pair.items()}


def _walk(top):
    """Yield `top` and the folders below it, the outermost first, each once however often it is linked."""
    seen, queue = set(), [top]
    for folder in queue:
        if (real := folder.resolve()) not in seen:
            seen.add(real)
            yield folder
            queue += _folders(folder)


def _folders(top):
    return [path for path in _visible(top) if path.is_dir()]


def _images(top):
    return [path for path in _visible(top) if path.suffix.lower() in IMAGE_SUFFIXES and not path.is_dir()]


def _visible(top):
    return sorted(path for path in top.iterdir() if not path.name.startswith((".", "__MACOSX")))


def _names(paths, most=5):
    """List names or paths in quotes, at most `most` of them."""
    names = sorted(repr(str(path)) for path in paths)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _copy(tree, target):
    """Copy the files of `tree`, {folder below target: files}; of links what they lead to."""
    for folder in tree:
        (target / folder).mkdir(parents=True)
    copies = [(file, target / folder / file.name) for folder, files in tree.items() for file in files]
    for file, copy in tqdm(copies, desc="copying", unit="image", disable=None):
        shutil.copyfile(file, copy)


def _synthetic(data, target):
    """Draw `data.classes` classes of `data.per_class` pictures: shapes in colours and stripes, JPEG."""
    pictures = [(label, index) for label in range(data.classes) for index in range(data.per_class)]
    for label, index in tqdm(pictures, desc="drawing", unit="image", disable=None):
        # each picture has a generator of its own, so that more pictures or classes leave the others as they are
        picture = _draw(label, np.random.default_rng([data.seed, label, index]))
        folder = target / f"class_{label:02d}"
        folder.mkdir(exist_ok=True)
        Image.fromarray(picture).save(folder / f"{index:05d}.jpg", quality=90)


def _draw(label, rng):
    """Draw a shape in the hue and stripes of class `label`, all else random: (80..300, 80..300, 3) uint8."""
    height, width = (int(side) for side in rng.integers(80, 301, 2))
    label, shape = divmod(label, len(SHAPES))
    stripes, hue = divmod(label, HUES)
    mask, across = _shape(SHAPES[shape], width, height, rng)
    light = 1 - 0.5 * (np.sin(STRIPES[stripes] * across) > 0)
    colour = 255 * np.array(colorsys.hsv_to_rgb(hue / HUES + rng.uniform(-0.06, 0.06), 0.7, rng.uniform(0.6, 1)))
    picture = np.where(mask[..., None], light[..., None] * colour, rng.uniform(0, 255, 3))
    return np.clip(picture + rng.integers(-50, 51, picture.shape), 0, 255).astype(np.uint8)


def _shape(radii, width, height, rng):
    """Place a polygon; return its mask, (height, width) bool, and each pixel's distance along it, in its radii."""
    radius = rng.uniform(0.2, 0.45) * min(width, height)
    x, y = rng.uniform(0.35, 0.65, 2) * (width, height)
    turn = rng.uniform(0, 2 * np.pi)
    angles = turn + 2 * np.pi * np.arange(len(radii)) / len(radii)
    corners = (x, y) + radius * np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)
    ImageDraw.Draw(mask := Image.new("1", (width, height))).polygon(corners.ravel().tolist(), fill=1)
    down, right = np.ogrid[:height, :width]
    return np.asarray(mask), ((right - x) * np.cos(turn) + (down - y) * np.sin(turn)) / radius


SOURCES = {"sample": _sample, "kaggle": _kaggle, "folder": _folder, "synthetic": _synthetic}
