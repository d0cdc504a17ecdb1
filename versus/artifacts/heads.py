"""The trained heads of all seeds, and what their training recorded: heads.safetensors and a record beside it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from versus.artifacts.seed_by_seed import SeedBySeed

LAYERS = ("hidden", "output")
Head = list[tuple[np.ndarray, np.ndarray]]  # for each of LAYERS a kernel (inputs, outputs) and a bias (outputs,)


@dataclass(frozen=True)
class Trained:
    """One trained head. losses: the mean loss of each step's batch before its update, (steps,).

    probabilities: of the validation images, or another part's, after each epoch, (epochs, images, classes).
    """

    weights: Head
    losses: np.ndarray
    probabilities: np.ndarray


def widths(head: Head) -> list[int]:
    """Return the widths of a head's layers: [inputs, hidden, classes].

    >>> widths([(np.zeros((1280, 128)), np.zeros(128)), (np.zeros((128, 2)), np.zeros(2))])
    [1280, 128, 2]
    """
    return [head[0][0].shape[0], *(kernel.shape[1] for kernel, _ in head)]


def save(trained: list[Trained], path: str | Path) -> None:
    """Write all heads as safetensors: seed0.hidden.kernel (inputs, outputs), seed0.hidden.bias (outputs,) and so on."""
    tensors = {}
    for seed, one in enumerate(trained):
        for layer, (kernel, bias) in zip(LAYERS, one.weights):
            tensors[f"seed{seed}.{layer}.kernel"] = np.ascontiguousarray(kernel)
            tensors[f"seed{seed}.{layer}.bias"] = np.ascontiguousarray(bias)
    save_file(tensors, path)


def read(path: str | Path) -> list[Head]:
    """Read what `save` wrote: the head of each seed."""
    tensors = load_file(path)
    seeds = range(len(tensors) // (2 * len(LAYERS)))
    return [[(tensors[f"seed{seed}.{layer}.kernel"], tensors[f"seed{seed}.{layer}.bias"]) for layer in LAYERS]
            for seed in seeds]


def save_record(trained: list[Trained], curves: dict[str, np.ndarray], path: str | Path) -> None:
    """Write what training recorded as safetensors.

    losses (seeds, steps); probabilities, the last ones of the validation images (seeds, images, classes); the learning
    curves by name, (seeds, epochs) each.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    save_file({"losses": np.stack([one.losses for one in trained]),
               "probabilities": np.stack([one.probabilities[-1] for one in trained])} | curves, path)


def read_record(path: str | Path) -> dict[str, Any]:
    """Read what `save_record` wrote, by name: arrays, but the probabilities are read seed by seed."""
    def of_seed(seed: int) -> np.ndarray:
        with safe_open(path, "numpy") as file:  # each time: what it has read stays in memory until it is closed
            return file.get_slice("probabilities")[seed]

    with safe_open(path, "numpy") as file:
        shape = tuple(file.get_slice("probabilities").get_shape())
        return {name: file.get_tensor(name) for name in file.keys() if name != "probabilities"} | {
            "probabilities": SeedBySeed(shape, of_seed)}


def read_trained(heads: str | Path, record: str | Path) -> list[Trained]:
    """Read what `save` and `save_record` wrote; the probabilities are those after the last epoch alone."""
    recorded = read_record(record)
    return [Trained(weights, losses, probabilities[None])
            for weights, losses, probabilities in zip(read(heads), recorded["losses"], recorded["probabilities"])]
