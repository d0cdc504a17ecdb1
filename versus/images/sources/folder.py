"""The source `folder`: images of the user's own."""

from pathlib import Path

from versus import params
from versus.images.sources.layout import read_tree
from versus.images.sources.tree import copy


def fetch(settings: params.Data, target: Path) -> None:
    """Copy the images of `settings.folder`, which holds classes or parts of classes."""
    copy(read_tree(Path(settings.folder)), target)
