"""Experiments in copies of the repository: `dvc exp run --queue` and `--temp` run there.

Such a copy has what git tracks and what DVC's cache holds, but neither ignored files nor what a relative path leads to:
images in data/images, weights in data/weights. They are linked to, so that the copy finds what the repository has.
"""

import os
from pathlib import Path

from versus.images.sources.errors import SourceError

COPIES = Path(".dvc", "tmp", "exps").parts  # where DVC makes them, below the repository


def repository_of(folder: Path) -> Path | None:
    """Return the repository that `folder` is DVC's copy of; None if it is none.

    >>> repository_of(Path("/home/me/project/.dvc/tmp/exps/tmp1a2b")), repository_of(Path("/home/me/project"))
    (PosixPath('/home/me/project'), None)
    """
    parts = folder.parts
    for k in range(len(parts) - len(COPIES), 0, -1):
        if parts[k:k + len(COPIES)] == COPIES:
            return Path(*parts[:k])
    return None


def link(path: str) -> None:
    """In a copy of the repository, make the relative `path` lead to what it leads to in the repository itself.

    What the copy has stays; of a folder that is there, links to the files that are missing are added. Elsewhere, or if
    `path` leads to nothing, nothing happens. Raises SourceError if something else is in the way.
    """
    here = Path.cwd()
    repository = repository_of(here)
    if repository is None or os.path.isabs(path) or not (repository / path).exists():
        return
    original, copy = (Path(os.path.normpath(folder / path)) for folder in (repository, here))
    if here not in copy.parents:
        _link_outside(original, copy, path)
    elif not os.path.lexists(copy):
        _link(original, copy)
    elif original.is_dir() and not copy.is_symlink():
        for file in original.rglob("*"):
            target = copy / file.relative_to(original)
            if file.is_file() and not os.path.lexists(target):
                _link(file, target)


def _link_outside(original: Path, copy: Path, path: str) -> None:
    """Link to what is outside the repository, from beside its copy: in DVC's temporary folder, and nowhere else."""
    if repository_of(copy) is not None and (copy.is_symlink() or not copy.exists()):
        copy.unlink(missing_ok=True)
        _link(original, copy)
    if not copy.exists() or not os.path.samefile(original, copy):
        raise SourceError(f"got the relative path {path!r}, which experiments in a copy of the repository (--queue, "
                          f"--temp) cannot reach; expected an absolute one: {str(original)!r}")


def _link(original: Path, copy: Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    try:
        copy.symlink_to(original)
    except FileExistsError:
        pass  # another experiment, at the same time
