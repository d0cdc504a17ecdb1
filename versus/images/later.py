"""Images that a classifier is given after training: they come through the same door as those of its set."""

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from versus.images import conversion, description
from versus.images.conversion import Conversion
from versus.images.opening import ImageError

if TYPE_CHECKING:
    from versus.images.sources.tree import File


def files_of(arguments: Sequence[str | Path]) -> "tuple[list[Path], list[File]]":
    """List the image files that are named or lie in named folders, and what is left out of these and why.

    A named file is taken for an image, whatever it is; so is one that does not exist.
    """
    files: list[Path] = []
    others: list[File] = []
    for argument in map(Path, arguments):
        if not argument.is_dir():
            files.append(argument)
            continue
        from versus.images.sources.tree import sort_out  # half a second that classifying one file does not need
        below = [PurePosixPath(Path(folder, name).relative_to(argument).as_posix())
                 for folder, _, names in os.walk(argument, followlinks=True) for name in names]
        images, left_out = sort_out(argument, sorted(below))
        files += [argument / image for image in images]
        others += left_out
    return files, others


def plain_file(path: Path, how: Conversion, folder: Path, name: str) -> Path:
    """Return the file to read for an image: itself, or `folder`/`name`.png if it has to be converted.

    Raises ImageError that says why it cannot be used.
    """
    try:
        described = description.describe(path)
    except OSError as error:
        raise ImageError(str(error.strerror)) from None
    if described["problem"]:
        raise ImageError(described["problem"])
    if not described["conversion"]:
        return path
    conversion.convert(path, folder / f"{name}.png", how)
    return folder / f"{name}.png"
