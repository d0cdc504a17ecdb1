"""All files of a folder, and what DVC could not use among them: `check` says it before any stage runs."""

import os
from pathlib import Path, PurePosixPath

from versus.images.sources.errors import quoted


def paths_of(root: Path) -> tuple[list[PurePosixPath], list[str]]:
    """List all files below `root`, sorted, and the problems that DVC would have with them.

    DVC does not look into folders that are links, so that a new image there would go unnoticed; a link to nothing or a
    name that is not UTF-8 ends it with a traceback.
    """
    files: list[PurePosixPath] = []
    problems: dict[tuple[str, str], list[str]] = {}
    for folder, folders, names in os.walk(root, onerror=_raise):
        folders.sort()
        for name in folders + names:
            path = Path(folder, name)
            if problem := _problem_of(path, name in folders):
                problems.setdefault(problem, []).append(_printable(path.relative_to(root)))
            elif name in names:
                files.append(PurePosixPath(path.relative_to(root).as_posix()))
    lines = [f"{str(root)!r}: got {what} ({len(paths):,}), {quoted(paths)}: {remedy}"
             for (what, remedy), paths in problems.items()]
    return sorted(files), lines


def _problem_of(path: Path, is_folder: bool) -> tuple[str, str] | None:
    """Say what DVC, or anyone, cannot use, and what to do; None of anything else."""
    if _printable(path) != str(path):
        return ("names that are not UTF-8", "unzip leaves names of a Windows archive so; rename them (`convmv -r -f "
                "cp1252 -t utf8 --notest FOLDER`), or unzip again (`unzip -O cp1252 ARCHIVE`)")
    if not path.exists():
        return "links to nothing", "remove them, or restore what they led to"
    if is_folder and path.is_symlink():
        return ("links to folders", "DVC does not look into them, and a new image there would go unnoticed. Replace "
                "each by a folder of links to files (`cp -rs \"$(realpath LINK)\" NEW`), or by what it leads to")
    if not is_folder and not path.is_file():
        return "pipes, sockets or devices", "remove them"
    if not os.access(path, os.R_OK | (os.X_OK if is_folder else 0)):
        return "files or folders that cannot be read", "allow it (`chmod -R u+rX FOLDER`)"
    return None


def _printable(path: Path) -> str:
    return str(path).encode("utf-8", "backslashreplace").decode()


def _raise(error: OSError) -> None:
    if not isinstance(error, PermissionError):  # which `_problem_of` says
        raise error
