"""The trained heads of all seeds, and what their training recorded.

heads.safetensors has the weights: seed0.hidden.kernel (inputs, outputs), seed0.hidden.bias (outputs,) and so on. The
record is a folder: record.safetensors with the losses (seeds, steps) and the learning curves by name, (seeds, epochs)
each; and probabilities.npy with the last ones of the validation images, (seeds, images, classes).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load_file, save_file

from versus.artifacts import npy

LAYERS = ("hidden", "output")
Head = list[tuple[np.ndarray, np.ndarray]]  # for each of LAYERS a kernel (inputs, outputs) and a bias (outputs,)


@dataclass(frozen=True)
class Trained:
    """One trained head. losses: the mean loss of each step's batch before its update, (steps,).

    probabilities: of the validation images, or another part's, after the last epoch, (images, classes). curves: the
    learning curves by name, (epochs,) each, if training scored its epochs.
    """

    weights: Head
    losses: np.ndarray
    probabilities: np.ndarray
    curves: Mapping[str, np.ndarray] = field(default_factory=dict)


def widths(head: Head) -> list[int]:
    """Return the widths of a head's layers: [inputs, hidden, classes].

    >>> widths([(np.zeros((1280, 128)), np.zeros(128)), (np.zeros((128, 2)), np.zeros(2))])
    [1280, 128, 2]
    """
    return [head[0][0].shape[0], *(kernel.shape[1] for kernel, _ in head)]


def save(heads: list[Head], path: str | Path) -> None:
    """Write the weights of all heads."""
    tensors = {}
    for seed, head in enumerate(heads):
        for layer, (kernel, bias) in zip(LAYERS, head):
            tensors[f"seed{seed}.{layer}.kernel"] = np.ascontiguousarray(kernel)
            tensors[f"seed{seed}.{layer}.bias"] = np.ascontiguousarray(bias)
    save_file(tensors, path)


def read(path: str | Path) -> list[Head]:
    """Read what `save` wrote: the head of each seed."""
    tensors = load_file(path)
    seeds = range(len(tensors) // (2 * len(LAYERS)))
    return [[(tensors[f"seed{seed}.{layer}.kernel"], tensors[f"seed{seed}.{layer}.bias"]) for layer in LAYERS]
            for seed in seeds]


def record(trained: Iterable[Trained], seeds: int, folder: str | Path) -> list[Head]:
    """Write what training records, one head after the other as it comes; return the weights of all.

    `seeds` is how many heads there will be.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    heads: list[Head] = []
    rows: list[Mapping[str, np.ndarray]] = []
    with open(folder / "probabilities.npy", "wb") as file:
        writer = npy.Writer(seeds, file)
        for one in trained:
            heads.append(one.weights)
            rows.append({"losses": one.losses, **one.curves})
            writer.write(one.probabilities)
    save_file({name: np.stack([row[name] for row in rows]) for name in rows[0]}, folder / "record.safetensors")
    return heads


def read_record(folder: str | Path) -> dict[str, Any]:
    """Read a record: arrays by name, of which the probabilities are read seed by seed."""
    return load_file(Path(folder) / "record.safetensors") | {"probabilities": npy.read(
        Path(folder) / "probabilities.npy")}


class Recorded:
    """The heads of all seeds with their record. Weights and losses are in memory; probabilities are read one by one."""

    def __init__(self, heads: str | Path, record: str | Path):
        self._heads, self._record = read(heads), read_record(record)

    def __len__(self) -> int:
        return len(self._heads)

    def __iter__(self) -> Iterator[Trained]:
        for head, losses, probabilities in zip(self._heads, self._record["losses"], self._record["probabilities"]):
            yield Trained(head, losses, probabilities)
