"""What a folder of images means: which folders are classes, which are parts, and which are neither."""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePosixPath

from versus.images.sources.errors import LAYOUTS, SourceError, quoted
from versus.images.sources.names import (are_masks, are_results, are_unlabelled, composed, is_image_folder,
                                         is_plain_part, is_version, may_be_results, parts_of, pieces_of_one_set)
from versus.images.sources.tree import File, Folder

MASK_ENDING = re.compile(r"[ _-]+(mask|seg|gt|segmentation|annotation|label)([ _-]?\d+)?$", re.IGNORECASE)
COMMON_FOLDERS = 4  # as many equal folders in each of several folders, and more than those are, look like classes

Classes = dict[tuple[str, str], list[PurePosixPath]]  # images by part, "" where there are none, and class


class Layout:
    """The classes of the folder `top`, whose files are below `root`.

    `classes` has the images by part and class, `notes` what a user should know besides. `hint` returns a sentence
    about tables of labels, for the errors.
    """

    def __init__(self, root: Path, top: Folder, hint: Callable[[], str]):
        self.root, self.hint = root, hint
        self.classes: Classes = {}
        self.notes: list[str] = []
        self._reasons: dict[PurePosixPath, str] = {}  # why a folder or an image is left out
        splits = self._without_copies(_outermost(top, _is_split))
        if len(splits) > 1:
            raise self._several_sets(splits)
        if splits:
            self._read_parts(splits[0])
        else:
            self._read_classes(self._classes_in(top))

    def files(self, images: Iterable[PurePosixPath]) -> list[File]:
        """Return a row for each image."""
        places = {image: key for key, members in self.classes.items() for image in members}
        return [File(image, places[image][1], places[image][0]) if image in places
                else File(image, left_out=self._reason(image)) for image in images]

    def _reason(self, image: PurePosixPath) -> str:
        named = [folder for folder in (image, *image.parents) if folder in self._reasons]
        return self._reasons[named[0]] if named else "unlabelled: in no folder of a class"

    # parts

    def _read_parts(self, split: Folder) -> None:
        parts = parts_of(split.names())
        of_part: dict[str, list[Folder]] = {}
        for folder in split.folders:
            if folder.name in parts:
                of_part.setdefault(parts[folder.name], []).append(folder)
            else:
                self._reasons[folder.path] = f"beside the parts, in {folder.name!r}"
        labelled = {part: one for part, folders in of_part.items() if (one := self._one_of(part, folders))}
        of_training = _class_names(labelled["train"])
        for part, folder in labelled.items():
            own = _class_names(folder)
            if part != "train" and len(own) == 1 and not own & of_training:
                self._reasons[folder.path] = f"unlabelled, in {folder.name!r}"  # as in test/unknown/*
            else:
                self._add(part, _inner(folder).folders)
        if {part for part, _ in self.classes} == {"train"}:
            self.classes = {("", label): images for (_, label), images in self.classes.items()}

    def _one_of(self, part: str, folders: list[Folder]) -> Folder | None:
        """Return the one folder of a part that holds classes; None if there is none."""
        labelled = self._reject(folders, [each for each in folders if not _inner(each).folders], "unlabelled", least=0)
        labelled = self._without_copies(labelled)
        plain = [folder for folder in labelled if is_plain_part(folder.name)]
        if len(plain) == 1:
            others = [folder for folder in labelled if folder is not plain[0]]
            labelled = self._reject(labelled, others, f"another folder than {plain[0].name!r} for one part", least=1)
        if len(labelled) > 1:
            raise SourceError(f"{str(self.root)!r}: got several folders for the {part} part, "
                              f"{quoted(folder.path for folder in labelled)}; expected one. Rename the others, or "
                              "remove them")
        return labelled[0] if labelled else None

    # classes

    def _read_classes(self, folders: list[Folder]) -> None:
        """Add the classes `folders`, or where each has folders for the parts, as cats/{train,test}/*, these."""
        parts = [parts_of(folder.names()) for folder in folders]
        if not all("train" in own.values() and len(set(own.values())) == len(folder.folders) > 1 and not folder.images
                   for own, folder in zip(parts, folders)):
            return self._add("", folders)
        for own, folder in zip(parts, folders):
            for inner in folder.folders:
                images = self.classes.setdefault((own[inner.name], composed(folder.name)), [])
                images += self._images_of(inner)

    def _classes_in(self, top: Folder) -> list[Folder]:
        """Find the folders that are classes, in `top` or below it."""
        folders = self._candidates(_inner(top))
        while len(folders) == 1 and not folders[0].images and len(_inner(folders[0]).folders) > 1:
            folders = self._candidates(_inner(folders[0]))
        if len(folders) < 2:
            raise self._no_classes(folders)
        if pieces_of_one_set([each.name for each in folders]):
            raise SourceError(f"{str(self.root)!r}: got the folders {quoted(each.name for each in folders)}, which "
                              f"look like pieces of one set and not like classes; {self._expected()}")
        common = set.intersection(*map(_class_names, folders))
        versions = all(is_version(each.name) for each in folders)
        if versions and len(common) > 1 or len(common) >= max(COMMON_FOLDERS, len(folders) + 1):
            raise self._several_sets(folders)
        return folders

    def _candidates(self, top: Folder) -> list[Folder]:
        """List the folders in `top` that may be classes; note of the others why they are not."""
        folders = self._without_copies(top.folders)
        own = {composed(each.name) for each in folders}
        folders = self._reject(folders, [each for each in folders if len(_class_names(each) & own) > 1],
                               "a copy of the classes, one level deeper")
        if any(is_image_folder(each.name) and each.folders for each in folders):
            folders = self._reject(folders, [each for each in folders if are_masks(each.name)], "masks")
        folders = self._reject(folders, [each for each in folders if are_results(each.name)],
                               "results, no class")
        sizes = {each.path: len(each.all_images()) for each in folders}
        uncertain = [each for each in folders if may_be_results(each.name)]
        certain = [sizes[each.path] for each in folders if each not in uncertain]
        folders = self._reject(folders, [each for each in uncertain if 2 * sizes[each.path] <= min(certain, default=0)],
                               "results, no class")
        folders = self._reject(folders, [each for each in folders if are_unlabelled(each.name)], "unlabelled")
        parts = parts_of(each.name for each in folders)
        if set(parts.values()) != {"train"}:  # by itself, a vehicle
            folders = self._reject(folders, [each for each in folders if each.name in parts and not each.folders],
                                   "unlabelled")
        return folders

    def _reject(self, folders: list[Folder], rejected: list[Folder], reason: str, least: int = 2) -> list[Folder]:
        """Return `folders` without those `rejected`, and note the reason; all of them if too few would remain.

        One folder that holds others stands for these.
        """
        remaining = [each for each in folders if each not in rejected]
        if len(remaining) < least and not (len(remaining) == 1 and len(_inner(remaining[0]).folders) > 1):
            return folders
        self._reasons |= {each.path: f"{reason}, in {each.name!r}" for each in rejected}
        return remaining

    def _without_copies(self, folders: Sequence[Folder]) -> list[Folder]:
        """Return those of `folders` with folders of their own that are no copies of another one; note the copies."""
        remaining: list[Folder] = []
        sizes: list[dict[PurePosixPath, int]] = []
        for folder in folders:
            own = self._sizes(folder) if folder.folders and len(folders) > 1 else {}
            if own and own in sizes:
                self._reasons[folder.path] = f"a copy of {remaining[sizes.index(own)].path.as_posix()!r}"
            else:
                remaining.append(folder)
                sizes.append(own)
        return remaining

    def _sizes(self, folder: Folder) -> dict[PurePosixPath, int]:
        """Return the size in bytes of every image below `folder`."""
        return {image.relative_to(folder.path): (self.root / image).stat().st_size for image in folder.all_images()}

    def _add(self, part: str, folders: Iterable[Folder]) -> None:
        """Add classes with all their images; of two names that differ in Unicode form alone, one class."""
        for folder in folders:
            self.classes.setdefault((part, composed(folder.name)), []).extend(self._images_of(folder))
        if inner := sorted({each.name for folder in folders for each in folder.folders}):
            self.notes.append(f"folders inside the classes, whose images are of the class: {quoted(inner)}")

    def _images_of(self, folder: Folder) -> list[PurePosixPath]:
        """List the images of a class, without masks: those in a folder of masks, or named x_mask beside x."""
        for inner in folder.folders:
            if are_masks(inner.name) and (folder.images or any(map(is_image_folder, folder.names()))):
                self._reasons[inner.path] = "masks"
        own = []
        stems = {image.stem for image in folder.images}
        for image in folder.images:
            if MASK_ENDING.search(image.stem) and MASK_ENDING.sub("", image.stem) in stems:
                self._reasons[image] = "masks"
            else:
                own.append(image)
        return own + [image for inner in folder.folders if inner.path not in self._reasons
                      for image in self._images_of(inner)]

    # errors

    def _no_classes(self, folders: list[Folder]) -> SourceError:
        inside = f"images of one folder alone, {folders[0].name!r}" if folders else "no folders of images"
        return SourceError(f"{str(self.root)!r}: got {inside}; {self._expected()}")

    def _several_sets(self, sets: list[Folder]) -> SourceError:
        common = set.intersection(*map(_class_names, sets))
        have = f", each with the folders {quoted(common)}" if common else ""
        return SourceError(f"{str(self.root)!r}: got several sets of images in it, {quoted(each.path for each in sets)}"
                           f"{have}; expected one. Set data.source to folder, and data.folder to one of them: "
                           f"{str(self.root / sets[0].path)!r}")

    def _expected(self) -> str:
        return f"expected {LAYOUTS}, with two classes or more. {self.hint()}"


def _outermost(top: Folder, wanted: Callable[[Folder], bool]) -> list[Folder]:
    """List the folders for which `wanted` holds that are nearest to `top`."""
    level = [top]
    while level:
        if matching := [folder for folder in level if wanted(folder)]:
            return matching
        level = [inner for folder in level for inner in folder.folders]
    return []


def _is_split(folder: Folder) -> bool:
    """Say whether `folder` holds a training part with classes in it, and another part."""
    parts = parts_of(folder.names())
    return len(set(parts.values())) > 1 and any(parts.get(each.name) == "train" and _inner(each).folders
                                                for each in folder.folders)


def _inner(folder: Folder) -> Folder:
    """Go down from `folder` as long as there is nothing in it but one folder of folders."""
    while len(folder.folders) == 1 and not folder.images and folder.folders[0].folders and not folder.folders[0].images:
        folder = folder.folders[0]
    return folder


def _class_names(folder: Folder) -> set[str]:
    return {composed(name) for name in _inner(folder).names()}
