"""The files of a measurement: one number a row, and what it was measured on."""

import importlib.metadata
import os
import platform
import re
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from versus import params
from versus.artifacts import metrics

RESULTS = Path(__file__).parent / "results"
DIGITS = 4  # significant ones: times of a repetition differ by more
VERSIONS = ("keras", "tensorflow", "torch", "onnxruntime", "numpy")


class Row(NamedTuple):
    """One number of one contestant in one repetition; `results` has seconds, MiB, or counts per second."""

    measurement: str
    of: str
    repeat: int
    value: float


def write(name: str, rows: Iterable[Row], about: dict[str, str | int]) -> None:
    """Write results/`name`.csv, and with it results/`name`.json: processor, versions, settings and `about`."""
    table = pd.DataFrame(rows, columns=list(Row._fields))
    table["value"] = [float(f"{value:.{DIGITS}g}") for value in table.value]
    metrics.write_table(RESULTS / f"{name}.csv", table)
    settings = params.load()
    metrics.write(RESULTS / f"{name}.json", {
        "processor": _processor(), "cores": os.cpu_count() or 1, "threads": settings.compute.threads,
        "python": platform.python_version(), **{each: importlib.metadata.version(each) for each in VERSIONS},
        "backbone": settings.model.backbone, "image_size": settings.model.image_size, "batch": settings.extract.batch,
        **about})


def read(name: str) -> pd.DataFrame:
    """Read what `write` wrote; ValueError if it is not there."""
    path = RESULTS / f"{name}.csv"
    if not path.is_file():
        raise ValueError(f"got no file {path}; expected what `make benchmark` writes")
    return metrics.read_table(path, ("measurement", "of"))


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    match = re.search(r"^model name\s*: (.*)$", path.read_text(), re.MULTILINE) if path.is_file() else None
    return match[1] if match else platform.processor() or platform.machine()
