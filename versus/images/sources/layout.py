"""How a folder of images may be laid out: classes, or parts of classes."""

from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from versus.images.sources.errors import LAYOUTS, SourceError, quoted
from versus.images.sources.tree import Tree

# Lower-case name of a folder: the part that it holds.
PART_NAMES = {"train": "train", "training": "train", "test": "test", "testing": "test",
              "validation": "validation", "valid": "validation", "val": "validation"}
IMAGE_SUFFIXES = {suffix for suffix, form in Image.registered_extensions().items() if form in Image.OPEN}


def read_tree(root: Path) -> Tree:
    """List the images of `root` by class or part/class; raise SourceError if it is laid out in another way.

    Folders and images beside the parts or classes are left out, which a printed line says; so is a `test` part if there
    is a validation part, too.
    """
    parts = _parts(root) or {"": root}
    tree = {Path(part, folder.name): _class_images(folder) for part, top in parts.items() for folder in _folders(top)}
    _check_classes(root, parts)
    left_out = [folder for folder in _folders(root) if folder not in parts.values()] if "train" in parts else []
    left_out += [image for top in {root, *parts.values()} for image in _images(top)]
    if left_out:
        tqdm.write(f"{root}: left out {quoted(path.relative_to(root) for path in left_out)}")
    return tree


def find_root(top: Path) -> Path:
    """Find the folder for `read_tree` at or below `top`: one that holds parts or, if there is none, classes.

    Returns the outermost one. Raises SourceError if there is none, or if several are outermost and differ.
    """
    folders = list(_walk(top))
    roots = [folder for folder in folders if _is_split(folder)] or [folder for folder in folders if _is_classes(folder)]
    if not roots:
        raise SourceError(f"got no folders of images in it; expected {LAYOUTS}")
    outermost = [folder for folder in roots if len(folder.parts) == len(roots[0].parts)]
    if any(_sizes(folder) != _sizes(outermost[0]) for folder in outermost[1:]):
        raise SourceError(f"got several sets of images in it, {quoted(outermost)}; expected one")
    return outermost[0]


def _is_split(folder: Path) -> bool:
    """Say whether `folder` holds a training and a validation part, both with images."""
    parts = _parts(folder)
    return bool(parts) and all(_class_folders(part) for part in parts.values())


def _is_classes(folder: Path) -> bool:
    """Say whether `folder` holds two classes or more, each with images."""
    return len(_class_folders(folder)) >= 2


def _class_folders(top: Path) -> list[Path]:
    return [folder for folder in _folders(top) if _images(folder)]


def _sizes(top: Path) -> dict[Path, int]:
    """Return the size in bytes of every image below `top`."""
    return {file.relative_to(top): file.stat().st_size for folder in _walk(top) for file in _images(folder)}


def _parts(root: Path) -> dict[str, Path]:
    """Return the folders of a split as {"train": path, "validation": path}, or {} if `root` does not hold both."""
    folders: dict[str, list[Path]] = {"train": [], "validation": [], "test": []}
    for folder in _folders(root):
        if part := PART_NAMES.get(folder.name.lower()):
            folders[part].append(folder)
    train, validation = folders["train"], folders["validation"] or folders["test"]
    if not train or not validation:
        return {}
    for same in (train, validation):
        if len(same) > 1:
            raise SourceError(f"{str(root)!r}: got two folders for one part, {quoted(path.name for path in same)}; "
                              "expected one training and one validation part. Rename or remove one")
    return {"train": train[0], "validation": validation[0]}


def _check_classes(root: Path, parts: dict[str, Path]) -> None:
    """Raise SourceError unless each part has two classes or more, and all have the same."""
    classes = {top.name: {folder.name for folder in _folders(top)} for top in parts.values()}  # by part
    for part, names in classes.items():
        if len(names) < 2:
            raise SourceError(f"got {len(names)} folders of images in {part!r} of {str(root)!r}; expected two or more, "
                              f"one for each class: {LAYOUTS}")
    everywhere = set.intersection(*classes.values())
    if differing := set.union(*classes.values()) - everywhere:
        raise SourceError(f"got classes in only one part of {str(root)!r}, {quoted(differing)}; expected the same "
                          f"folders in {quoted(classes)}")


def _class_images(folder: Path) -> list[Path]:
    """List the images of the class `folder`; raise SourceError if there are none, or if there are others below it."""
    deeper = next((image for inner in _walk(folder) if inner != folder for image in _images(inner)), None)
    if deeper:
        raise SourceError(f"got an image at {str(deeper)!r}, below {folder.name!r}; expected {LAYOUTS} and nothing "
                          "deeper. Name the folder right above the classes or parts, or move the images up")
    if images := _images(folder):
        return images
    raise SourceError(f"got no images in {str(folder)!r}; expected files that end in .jpg, .png or another suffix of "
                      "a format that Pillow reads. Add some, or remove the folder")


def _walk(top: Path) -> Iterator[Path]:
    """Yield `top` and the folders below it, outermost first, each only once even if links lead to it again."""
    seen, queue = set(), [top]
    for folder in queue:
        if (real := folder.resolve()) not in seen:
            seen.add(real)
            yield folder
            queue += _folders(folder)


def _folders(top: Path) -> list[Path]:
    return [path for path in _visible(top) if path.is_dir()]


def _images(top: Path) -> list[Path]:
    return [path for path in _visible(top) if path.suffix.lower() in IMAGE_SUFFIXES and not path.is_dir()]


def _visible(top: Path) -> list[Path]:
    return sorted(path for path in top.iterdir() if not path.name.startswith((".", "__MACOSX")))
