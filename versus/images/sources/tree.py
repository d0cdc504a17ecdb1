"""The files of a source: each with its class and part, or with the reason why it is left out."""

import shutil
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from tqdm import tqdm

from versus.images.files import copy_file, shares_blocks
from versus.images.opening import SUFFIXES, is_image
from versus.images.sources.errors import SourceError, quoted
from versus.images.sources.names import is_hidden

RAW_SUFFIXES = {".nef", ".dng", ".cr2", ".cr3", ".arw", ".orf", ".pef", ".rw2", ".svs"}  # TIFF with thumbnails first
LISTED = 20  # classes in a message
COPIES = 3   # of the images, besides the source: data/raw, data/split, and the latter in DVC's cache


class File(NamedTuple):
    """One file of a source. `path` is relative to the source; `left_out` is "" for an image that is used."""

    path: PurePosixPath
    label: str = ""
    part: str = ""    # "" where the source has no parts
    left_out: str = ""
    target: str = ""  # its path in data/raw, "" if it is left out
    group: str = ""   # what the table of labels says that it has in common with others, such as the patient


@dataclass
class Folder:
    """A folder that has images in it or below it."""

    path: PurePosixPath
    images: list[PurePosixPath] = field(default_factory=list)
    folders: list["Folder"] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.path.name

    def all_images(self) -> list[PurePosixPath]:
        """List the images in this folder and below it."""
        return self.images + [image for folder in self.folders for image in folder.all_images()]

    def names(self) -> list[str]:
        """List the names of the folders in this one."""
        return [folder.name for folder in self.folders]


def sort_out(root: Path, paths: Iterable[PurePosixPath]) -> tuple[list[PurePosixPath], list[File]]:
    """Divide files into images, by content where the name does not say it, and those that are left out."""
    images, others = [], []
    for path in paths:
        suffix = path.suffix.lower()
        if any(map(is_hidden, path.parts)):
            others.append(File(path, left_out="hidden, or of the operating system"))
        elif suffix in RAW_SUFFIXES:
            others.append(File(path, left_out=f"{suffix}, which is not read: export it as TIFF or PNG"))
        elif suffix in SUFFIXES or is_image(root / path):
            images.append(path)
        else:
            others.append(File(path, left_out=f"no image ({suffix or 'no suffix'})"))
    return images, others


def folder_of(images: Iterable[PurePosixPath]) -> Folder:
    """Arrange images as the folder that they are in."""
    folders = {PurePosixPath(): Folder(PurePosixPath())}

    def reach(path: PurePosixPath) -> Folder:
        if path not in folders:
            folders[path] = Folder(path)
            reach(path.parent).folders.append(folders[path])
        return folders[path]

    for image in images:
        reach(image.parent).images.append(image)
    return folders[PurePosixPath()]


def with_targets(files: Sequence[File]) -> list[File]:
    """Give each file that is used a path of its own in data/raw: <part>/<class>/<name> or <class>/<name>."""
    taken: set[str] = set()
    return [file if file.left_out else file._replace(target=_free_target(file, taken)) for file in files]


def _free_target(file: File, taken: set[str]) -> str:
    """Prefix the name by those of its folders, and lengthen it, until it is free even where case does not count."""
    folder = PurePosixPath(file.part, file.label)
    names = ["_".join(file.path.parts[-k:]) for k in range(1, len(file.path.parts) + 1)]
    target = next((each for name in names if _folded(each := folder / name) not in taken), folder / names[-1])
    while _folded(target) in taken:
        target = target.with_name(f"_{target.name}")
    taken.add(_folded(target))
    return target.as_posix()


def _folded(path: PurePosixPath) -> str:
    return unicodedata.normalize("NFC", path.as_posix()).casefold()


def copy(root: Path, files: Sequence[File], target: Path, notes: Iterable[str] = ()) -> list[File]:
    """Say what `files` are, and copy those that are used below `target`; return them with their places there.

    Where they are links, what these lead to is copied. Raises SourceError if there is too little room.
    """
    files = with_targets(files)
    tqdm.write("\n".join([f"{root}:", *describe(files), *notes]))
    used = [file for file in files if not file.left_out]
    _check_room(sum((root / file.path).stat().st_size for file in used), target)
    for folder in {(target / file.target).parent for file in used}:
        folder.mkdir(parents=True, exist_ok=True)
    for file in tqdm(used, desc="copying", unit="image", disable=None):
        copy_file(root / file.path, target / file.target)
    return files


def _check_room(size: int, target: Path) -> None:
    """Say how much room the images take, and raise SourceError unless it is there."""
    needed, free = COPIES * size, shutil.disk_usage(target).free
    shared = shares_blocks(target)
    tqdm.write(f"{size / 2**20:,.1f} MiB of images; a run needs "
               + ("about as much" if shared else f"{needed / 2**20:,.1f} MiB") + " on disk for them"
               + (", since this file system shares the blocks of copies" if shared else
                  f", in {COPIES} copies: data/raw, data/split and DVC's cache"))
    if needed > free and not shared:
        raise SourceError(f"got {free / 2**20:,.1f} MiB of free disk space; expected {needed / 2**20:,.1f} MiB for "
                          f"{COPIES} copies of the images: make room, or clone the repository to a larger disk")


def describe(files: Sequence[File]) -> list[str]:
    """Say in lines what there is: classes, parts, counts, and what is left out and why."""
    used = [file for file in files if not file.left_out]
    labels = Counter(file.label for file in used)
    parts = Counter(file.part for file in used if file.part)
    lines = [f"{len(used):,} images of {len(labels)} classes: " + _counts(labels)]
    if parts:
        lines.append("parts: " + _counts(parts))
    reasons: dict[str, list[PurePosixPath]] = {}
    for file in files:
        if file.left_out:
            reasons.setdefault(file.left_out, []).append(file.path)
    for reason, paths in sorted(reasons.items(), key=lambda each: (-len(each[1]), each[0])):
        lines.append(f"left out, {reason}: {len(paths):,} ({quoted(paths, 2)})")
    return lines


def _counts(numbers: Counter[str]) -> str:
    listed = [f"{name!r} {count:,}" for name, count in sorted(numbers.items())]
    return ", ".join(listed[:LISTED]) + (f" and {len(listed) - LISTED:,} more" if len(listed) > LISTED else "")
