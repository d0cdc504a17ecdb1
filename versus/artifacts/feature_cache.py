"""The feature cache: features of many combinations of conventions, one entry each, so that interrupted runs resume."""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np
from safetensors import SafetensorError

from versus.artifacts import tensors
from versus.artifacts.features import Features, Statistics

Combination = TypeVar("Combination")
STATISTICS = "statistics/"  # begins the name of running statistics in an entry


def fingerprint(*parts: object) -> str:
    """Hash what the entries depend on: paths by the files' content, other values, made of JSON types, by their text."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.read_bytes() if isinstance(part, Path) else json.dumps(part, sort_keys=True).encode())
        digest.update(b"\0")
    return digest.hexdigest()


def prepare(folder: str | Path, needed: Mapping[str, Combination], origin: str,
            compute: Callable[[Combination, str], Features]) -> None:
    """Compute the missing ones among the entries `needed`, a mapping of names to combinations.

    All other entries are removed: the folder is an output, which depends on the parameters and not on earlier runs.
    `origin` is the `fingerprint` of this run: an entry with another one is stale. `compute` takes a combination and
    the title of a progress bar.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.stem not in needed or path.suffix != ".safetensors" or _origin(path) != origin:
            path.unlink()
    missing = {entry: combination for entry, combination in needed.items() if not _path(folder, entry).exists()}
    for number, (entry, combination) in enumerate(missing.items(), 1):
        features = compute(combination, f"features {number} of {len(missing)}: {entry}")
        unfinished = folder / f"{entry}.unfinished"
        tensors.save({"augmented": features.augmented, **features.plain, **_by_name(features.statistics)},
                     {"origin": origin, "pixels": digest(features.pixels)}, unfinished)
        os.replace(unfinished, _path(folder, entry))


def read(folder: str | Path, entry: str) -> Features:
    """Read one entry: `Features` without pixels, of which only the `digest` is kept: see `pixels`."""
    arrays, _ = tensors.read(_path(folder, entry))
    named = {name.removeprefix(STATISTICS): arrays.pop(name) for name in list(arrays) if name.startswith(STATISTICS)}
    augmented = arrays.pop("augmented")
    after_each = [{name: values[view] for name, values in named.items()} for view in range(len(augmented))]
    return Features(augmented, arrays, after_each if named else [])


def pixels(folder: str | Path, entry: str) -> str:
    """Return the `digest` of the pixels that an entry's features were computed from."""
    return tensors.read_about(_path(folder, entry))["pixels"]


def digest(pixels: np.ndarray) -> str:
    """Hash `Features.pixels`: equal conventions give equal pixels to the bit."""
    return hashlib.sha256(np.ascontiguousarray(pixels, np.float32).tobytes()).hexdigest()


def _by_name(statistics: list[Statistics]) -> dict[str, np.ndarray]:
    """Stack the running statistics after each view: (views, channels) by the name of an array in an entry."""
    names = statistics[0] if statistics else {}
    return {STATISTICS + name: np.stack([after[name] for after in statistics]) for name in names}


def _path(folder: str | Path, entry: str) -> Path:
    return Path(folder) / f"{entry}.safetensors"


def _origin(path: Path) -> str | None:
    try:
        return tensors.read_about(path).get("origin")
    except (SafetensorError, OSError):
        return None
