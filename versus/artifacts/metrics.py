"""Metrics and the data of plots, as text files whose bytes depend on their content alone."""

import json
import math
from collections.abc import Mapping
from pathlib import Path

Metrics = Mapping[str, str | int | float]


def write(path: str | Path, values: Metrics) -> None:
    """Write a flat mapping of finite scalars as JSON; raise ValueError for anything `dvc metrics` would drop."""
    for key, value in values.items():
        if not isinstance(value, (str, int, float)) or (isinstance(value, float) and not math.isfinite(value)):
            raise ValueError(f"{path}: {key} is {value!r}; expected a finite number or a string")
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def read(path: str | Path) -> dict:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))
