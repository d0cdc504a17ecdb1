"""Files of this repository as another revision has them: git holds small ones, DVC's cache or a remote the others."""

import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

WORKSPACE = None  # the revision that is no commit: the files as they are
TEMPORARY = Path(".dvc/tmp")  # on the disk where the files are, which may be large; /tmp may be in memory
CHANGED = ("modified", "new")  # what `dvc status` says of a file that is not the one in dvc.lock


class RevisionError(ValueError):
    """A revision, or one of its files, that cannot be had; the message says why and what to do."""


def commit_of(revision: str) -> str:
    """Return the short hash of the commit that `revision` names; raise RevisionError if there is none."""
    try:
        inside = _run("git", "rev-parse", "--is-inside-work-tree")
    except FileNotFoundError:
        raise RevisionError("got no git; expected it in the PATH: revisions are commits of git") from None
    if inside.returncode:
        raise RevisionError(f"got the folder {os.getcwd()!r}, in which git finds no repository; expected a clone: "
                            f"revisions are commits of git ({inside.stderr.strip().splitlines()[-1]})")
    done = _run("git", "rev-parse", "--verify", "--quiet", "--short", "--end-of-options", f"{revision}^{{commit}}")
    if done.returncode:
        raise RevisionError(f"got the revision {revision!r}, which git does not know here; expected a branch, tag or "
                            "commit: `git branch --all` lists branches, `git fetch origin` brings those of a remote "
                            "(a shallow clone has few: `git fetch --unshallow`)")
    return done.stdout.strip()


def describe() -> str:
    """Say which commit the workspace is, and whether files in git were changed since."""
    dirty = _run("git", "status", "--porcelain", "--untracked-files=no").stdout
    return f"Now: {commit_of('HEAD')}{', with changes that are not committed' if dirty else ''}."


def read(path: str, revision: str | None = WORKSPACE) -> bytes:
    """Return the content of a file of a revision: see `open_file`."""
    with open_file(path, revision) as file:
        return file.read()


def open_file(path: str, revision: str | None = WORKSPACE) -> BinaryIO:
    """Open a file of a revision, or a copy that is deleted when it is closed; None stands for the workspace.

    What git does not hold is read from the workspace (for None), from DVC's cache, or from a remote if one is
    configured. Raises RevisionError.
    """
    from dvc.api import DVCFileSystem  # takes a second to import
    from dvc.config import Config
    where = f"of {revision}" if revision else "of this revision"
    logging.getLogger("dvc").setLevel(logging.CRITICAL)  # what fails is said below
    try:
        if revision is WORKSPACE and os.path.isfile(path):
            return open(path, "rb")
        remotes = {key: value for key, value in Config.from_cwd().items() if key in ("core", "remote")}
        files = DVCFileSystem(url=".", rev=revision, config=remotes)  # of today: an old revision may have had none
        if files.exists(path):
            with files.open(path, "rb") as file:
                TEMPORARY.mkdir(parents=True, exist_ok=True)
                copy = TemporaryFile(dir=TEMPORARY)
                shutil.copyfileobj(file, copy)
                copy.seek(0)
                return copy
    except FileNotFoundError:
        raise RevisionError(_not_in_reach(path, revision)) from None
    except Exception as error:  # whatever a remote raises: each kind has errors of its own
        raise RevisionError(f"{path} {where} cannot be read: {type(error).__name__}: {error}; {_remedy(path, revision)}"
                            ) from error
    raise RevisionError(f"got no {path} {where}, neither in git nor in its dvc.lock; expected a revision at which the "
                        "pipeline was run (`dvc repro`)")


def _not_in_reach(path: str, revision: str | None) -> str:
    lines = _run(sys.executable, "-m", "dvc", "remote", "list").stdout.splitlines()
    names = [line.split()[0] for line in lines if line.strip()]
    where = (f"is neither in DVC's cache nor in reach at the remote {', '.join(names)}" if names
             else "is not in DVC's cache, and no remote is configured (`dvc remote add`)")
    return f"{path} of {revision or 'this revision'} {where}; expected it in either: {_remedy(path, revision)}"


def _remedy(path: str, revision: str | None) -> str:
    if revision is WORKSPACE:
        return f"run `dvc pull {path}`, or `dvc repro`"
    return (f"run `dvc pull {path}` at {revision} (after `dvc push` where it was computed), or `dvc repro` there; then "
            "`git switch -` comes back and the cache keeps it")


def changed(paths: list[str]) -> dict[str, list[str]]:
    """Say what changed since dvc.lock was written, in the stages that lead to `paths`: {stage: files and parameters}.

    A file that is not here is no change; one that was edited is.
    """
    stages = ask_dvc("status", "--with-deps", *paths)
    return {name: what for name, parts in stages.items() if (what := list(_changes(parts)))}


def _changes(parts: list) -> Iterator[str]:
    """List what one stage's entry of `dvc status --json` says to be changed."""
    for part in parts:
        if isinstance(part, str):  # "changed command"
            yield part
            continue
        for items in part.values():
            for path, state in items.items():
                if isinstance(state, dict):  # {"params.yaml": {"train.epochs": "modified"}}
                    yield from state
                elif state in CHANGED:
                    yield path


def ask_dvc(*arguments: str) -> Any:
    """Run a command of DVC that prints JSON, and return what it says; raise RevisionError if it fails."""
    done = _run(sys.executable, "-m", "dvc", *arguments, "--json")
    if done.returncode:
        raise RevisionError(f"`dvc {' '.join(arguments)}` fails: {done.stderr.strip()}")
    return json.loads(done.stdout or "{}")


def _run(*command: str) -> subprocess.CompletedProcess:
    return subprocess.run(command, text=True, capture_output=True)
