"""The sources by the names that `data.source` has, and how one of them fills data/raw, or leaves it as it was."""

import shutil
from collections.abc import Callable
from pathlib import Path

from versus import params
from versus.images.sources import folder, sample, synthetic
from versus.images.sources.errors import SourceError
from versus.images.sources.tree import File


def _fetch_from_kaggle(settings: params.Data, split: params.Split, target: Path) -> list[File]:
    from versus.images.sources import kaggle  # only here: its client takes as long to import as all else together
    return kaggle.fetch(settings, split, target)


SOURCES: dict[str, Callable[[params.Data, params.Split, Path], list[File]]] = {
    "sample": sample.fetch,
    "kaggle": _fetch_from_kaggle,
    "folder": folder.fetch,
    "synthetic": synthetic.fetch,
}


def fetch(settings: params.Data, split: params.Split, target: str | Path) -> list[File]:
    """Copy the images of `settings.source` to `target`, replacing its contents. If anything fails, `target` stays.

    Returns every file of the source, also those that are left out. Raises SourceError, also if there are too few images
    to be divided as `split` says.
    """
    target = Path(target)
    unfinished = target.with_name(f".{target.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    try:
        unfinished.mkdir(parents=True)
        files = SOURCES[settings.source](settings, split, unfinished)
        shutil.rmtree(target, ignore_errors=True)
        unfinished.rename(target)
        return files
    except OSError as error:
        raise SourceError(f"data.source {settings.source!r}: {error}; expected readable files, free disk space, and "
                          f"write permission for {str(target.parent)!r}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
