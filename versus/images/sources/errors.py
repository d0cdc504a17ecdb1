"""The error of all sources, and words that their messages share."""

from collections.abc import Iterable
from pathlib import PurePath

LAYOUTS = "<class>/* or {train,validation,test}/<class>/*"


class SourceError(ValueError):
    """Images that cannot be fetched; the message says what was got, what was expected and what to do."""


def quoted(names: Iterable[str | PurePath], most: int = 5) -> str:
    """List names or paths in quotes, sorted, at most `most` of them, and count the rest."""
    quotes = sorted(repr(str(name)) for name in names)
    return ", ".join(quotes[:most]) + (f" and {len(quotes) - most:,} more" if len(quotes) > most else "")
