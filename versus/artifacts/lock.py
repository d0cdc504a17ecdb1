"""dvc.lock: what the stages were run with, and the hashes of what they wrote."""

from pathlib import Path
from typing import Any

import yaml


def stages(path: str | Path = "dvc.lock") -> dict[str, Any]:
    """Return the entries of the stages, {name: entry}; {} if there is no file, or one that DVC did not write."""
    try:
        return yaml.safe_load(Path(path).read_text("utf-8"))["stages"]
    except (OSError, KeyError, TypeError, ValueError, yaml.YAMLError):
        return {}


def outputs(entries: dict[str, Any]) -> dict[str, str]:
    """Return the hashes of everything that the stages wrote, {path: hash}."""
    return {out["path"]: out["md5"] for entry in entries.values() for out in entry.get("outs", [])}


def parameters(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters that a stage was run with, {"section.key": value}."""
    return _dotted(entry.get("params", {}).get("params.yaml", {}))


def _dotted(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in values.items():
        result |= _dotted(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return result
