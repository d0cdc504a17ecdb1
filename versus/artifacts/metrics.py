"""Metrics, details and the data of plots: text files in git, whose bytes depend on their content alone.

How numbers are rounded, so that another processor, whose sums differ in their last digits, writes the same bytes:

- `write_answer`, the few numbers that dvc.yaml registers as metrics: to four decimals.
- `write` and `write_table`, all else: to six significant digits. What is closer to 0 than 1e-9 is 0.0: a difference or
  a share that small is what rounding leaves of sums that cancel. The smallest p-value is 1e-4, and no score, interval
  or loss below 1e-9 means anything.
- `write` with `digits`, for parity: those numbers are rounding errors themselves. None is too small to be written, but
  beyond two digits they depend on the processor alone.

0 is never negative. Before that, numbers are rounded to twelve decimals or digits, so that noise does not decide how a
number halfway between two others is rounded: 0.12345650000000001 and 0.12345649999999999 both end as 0.123456.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

Metrics = Mapping[str, str | int | float]
DECIMALS = 4      # of a registered metric
DIGITS = 6        # of any other number
SMALLEST = 1e-9   # of those but parity's
EXACT = 12        # decimals or digits that do not depend on the order of a sum


def write_answer(path: str | Path, values: Metrics) -> None:
    """Write a file of registered metrics, as `write` does, with four decimals: `dvc metrics show` fits 120 columns."""
    _write(path, values, lambda value: round(round(value, EXACT), DECIMALS) + 0.0)


def write(path: str | Path, values: Metrics, digits: int | None = None) -> None:
    """Write a flat mapping of finite scalars as JSON; raise ValueError for anything else, which DVC would drop.

    digits: significant ones, of numbers that may be tiny; None: as `rounded` has them.
    """
    _write(path, values, rounded if digits is None else lambda value: _digits(_digits(value, EXACT), digits))


def _write(path: str | Path, values: Metrics, shorten: Callable[[float], float]) -> None:
    for key, value in values.items():
        if not isinstance(value, (str, int, float)) or (isinstance(value, float) and not math.isfinite(value)):
            raise ValueError(f"{path}: {key} is {value!r}; expected a finite number or a string")
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = {key: shorten(value) if isinstance(value, float) else value for key, value in values.items()}
    path.write_text(json.dumps(numbers, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def read(path: str | Path) -> dict[str, Any]:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_table(path: str | Path, rows: pd.DataFrame) -> None:
    """Write the rows of a plot or a report as CSV."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    floats = rows.select_dtypes(np.floating).columns
    rows.assign(**{name: rows[name].map(rounded) for name in floats}).to_csv(path, index=False)


def read_table(path: str | Path | BinaryIO, text: Iterable[str] = ()) -> pd.DataFrame:
    """Read what `write_table` wrote, from a path or an open file; the columns `text` as they stand, 007 and NA too."""
    import pandas as pd  # only here: stages that read no table start 0.2 s earlier
    rows = pd.read_csv(path, dtype=dict.fromkeys(text, str), keep_default_na=False, na_values=[""])
    return rows.fillna({name: "" for name in text if name in rows})


def rounded(value: float) -> float:
    """Round to six significant digits; to 0 what is closer to it than 1e-9.

    >>> rounded(0.123456789), rounded(-0.0), rounded(-3e-17), rounded(2e-5 / 3)
    (0.123457, 0.0, 0.0, 6.66667e-06)
    """
    return 0.0 if abs(value) < SMALLEST else _digits(round(value, EXACT), DIGITS)


def _digits(value: float, digits: int) -> float:
    return float(f"{value:.{digits}g}") + 0.0
