"""PyTorch, set so that a run gives the same bytes every time."""

import torch

from versus import params


def start(compute: params.Compute, precision: str) -> None:
    """Fix the number of threads (the last bits depend on it) and the type of floats ("float32" or "float64")."""
    torch.set_default_dtype(getattr(torch, precision))
    torch.set_num_threads(compute.threads)
