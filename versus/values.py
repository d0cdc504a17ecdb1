"""Rules for single values of params.yaml: each returns the value, or raises ValueError with what is expected."""

import re

from PIL import ImageColor


def colour(name: str) -> str:
    """Return the name of a colour; raise ValueError if Pillow does not know it."""
    try:
        ImageColor.getrgb(name)
    except ValueError:
        raise ValueError("expected the name of a colour, such as white, or '#rrggbb'") from None
    return name


def one_or_several(splits: int) -> int:
    """Return a number of splits; raise ValueError for 2, which leaves no second part of the training images out."""
    if splits == 2:
        raise ValueError("expected 1 for the split alone, or 3 and more: what the training images contribute is told "
                         "by leaving out a second part of them")
    return splits


def address(cluster: str) -> str:
    """Return where a Ray cluster is; raise ValueError if it can be nowhere."""
    if cluster not in ("none", "auto") and not re.fullmatch(r"(ray://)?[^\s/:]+:\d{1,5}", cluster):
        raise ValueError("expected none, auto for the cluster that this machine belongs to, or HOST:PORT or "
                         "ray://HOST:PORT of a cluster's head")
    return cluster
