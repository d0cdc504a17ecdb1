"""The source `folder`: images of the user's own."""

from pathlib import Path

from versus import params
from versus.images.sources.reader import read
from versus.images.sources.tree import File, copy


def fetch(settings: params.Data, split: params.Split, target: Path) -> list[File]:
    """Copy the images of `settings.folder`."""
    root = Path(settings.folder)
    files, notes = read(root, settings, split)
    return copy(root, files, target, notes)
