"""Metrics and the data of plots: text files in git, whose bytes depend on their content alone.

Numbers are rounded to six significant digits, since the last digits of a sum differ between processors.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import pandas as pd

Metrics = Mapping[str, str | int | float]
DIGITS = 6


def write(path: str | Path, values: Metrics) -> None:
    """Write a flat mapping of finite scalars as JSON; raise ValueError for anything `dvc metrics` would drop."""
    for key, value in values.items():
        if not isinstance(value, (str, int, float)) or (isinstance(value, float) and not math.isfinite(value)):
            raise ValueError(f"{path}: {key} is {value!r}; expected a finite number or a string")
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = {key: rounded(value) if isinstance(value, float) else value for key, value in values.items()}
    path.write_text(json.dumps(numbers, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read(path: str | Path) -> dict:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_table(path: str | Path, rows: pd.DataFrame) -> None:
    """Write the rows of a plot or a report as CSV."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    floats = rows.select_dtypes("float").columns
    rows.assign(**{name: rows[name].map(rounded) for name in floats}).to_csv(path, index=False)


def read_table(path: str | Path | BinaryIO) -> pd.DataFrame:
    """Read what `write_table` wrote, from a path or an open file."""
    return pd.read_csv(path)


def rounded(value: float) -> float:
    """Round to six significant digits; 0 is never negative.

    >>> rounded(0.123456789), rounded(-0.0), rounded(3e-20)
    (0.123457, 0.0, 3e-20)
    """
    return float(f"{value:.{DIGITS}g}") + 0.0
