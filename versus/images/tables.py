"""The tables of images: data/raw.csv, made by `inspection`, and data/split.csv, made by `splitting`."""

from pathlib import Path

import pandas as pd

# of data/raw.csv: see `inspection.inspect`
COLUMNS = ("file", "class", "published", "sha256", "width", "height", "mode", "format", "conversion", "note", "problem",
           "origin", "group")


def save(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table as CSV."""
    table.to_csv(path, index=False)


def read(path: str | Path) -> pd.DataFrame:
    """Read what `save` wrote."""
    text = dict.fromkeys(set(COLUMNS) - {"width", "height"}, str)
    return pd.read_csv(path, keep_default_na=False, dtype=text)


def images_of(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the images, without those of the files that are left out."""
    return table[table.file != ""].reset_index(drop=True)
