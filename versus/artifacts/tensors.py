"""Arrays in a safetensors file, with what is to be said of them, whose bytes depend on nothing else."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

_KEY = "about"  # one key of metadata: the library writes several in an order drawn anew each time


def save(arrays: Mapping[str, np.ndarray], about: Mapping[str, Any], path: str | Path) -> None:
    """Write `arrays` by name, and `about`, values of JSON types by name."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path,
              metadata={_KEY: json.dumps(dict(about))})


def read(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read what `save` wrote: the arrays, and what is said of them."""
    with safe_open(path, "numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, _about(file)


def read_about(path: str | Path) -> dict[str, Any]:
    """Read what `save` wrote of the arrays alone; {} if there is nothing."""
    with safe_open(path, "numpy") as file:
        return _about(file)


def _about(file: Any) -> dict[str, Any]:
    return json.loads((file.metadata() or {}).get(_KEY, "{}"))
