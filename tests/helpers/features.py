"""Features that are there already, written as extraction writes them."""

from versus.artifacts import features


def save(given, path):
    """Write `Features` to a folder."""
    folder = features.Folder(path)
    for name, values in {"augmented": given.augmented, **given.plain}.items():
        folder.array(name, values.shape, str(values.dtype))[:] = values
    folder.complete(given)
