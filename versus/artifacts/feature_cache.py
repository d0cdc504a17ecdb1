"""Feature banks of many combinations of conventions: made one by one, kept, and found again after a cut."""

import hashlib
import os
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from versus.artifacts.features import CONVENTIONS, Features

JPEG = b"\xff\xd8"


def name(conventions, jpeg):
    """Name the bank that a combination needs: combinations that make the same features share it.

    Without a JPEG file among the images (`jpeg` False) the two decoders give the same pixels.
    """
    of_bank = {convention: getattr(conventions, convention) for convention in CONVENTIONS}
    if not jpeg:
        of_bank["decode"] = "any"
    return "-".join(of_bank.values())


def any_jpeg(files):
    """Say whether any of the files begins as a JPEG file does, whatever its name."""
    return any(_starts(file) == JPEG for file in files)


def _starts(path):
    with open(path, "rb") as file:
        return file.read(2)


def fingerprint(*parts):
    """Hash what the banks depend on: paths by the files' content, other values by their text."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.read_bytes() if isinstance(part, Path) else repr(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()


def prepare(folder, needed, origin, make):
    """Make what is missing of the banks `needed`, a mapping of names to combinations.

    All others are removed: the folder is an output, which depends on the parameters and not on earlier runs.
    `origin` is the `fingerprint` of this run: a bank with another one is stale. `make` takes a combination, its
    number among those to be made and their count, and returns `Features`.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.stem not in needed or path.suffix != ".safetensors" or _origin(path) != origin:
            path.unlink()
    missing = {bank: combination for bank, combination in needed.items() if not _path(folder, bank).exists()}
    for number, (bank, combination) in enumerate(missing.items(), 1):
        features = make(combination, f"bank {number} of {len(missing)}: {bank}")
        unfinished = folder / f"{bank}.unfinished"
        save_file({"train": np.stack(features.train), "validation": np.stack(features.validation)}, unfinished,
                  metadata={"origin": origin})
        os.replace(unfinished, _path(folder, bank))


def read(folder, bank):
    """Read one bank: `Features` (views, images, width), without statistics and pixels."""
    with safe_open(_path(folder, bank), "numpy") as tensors:
        return Features(tensors.get_tensor("train"), tensors.get_tensor("validation"))


def _path(folder, bank):
    return Path(folder) / f"{bank}.safetensors"


def _origin(path):
    try:
        with safe_open(path, "numpy") as tensors:
            return (tensors.metadata() or {}).get("origin")
    except (SafetensorError, OSError):
        return None
