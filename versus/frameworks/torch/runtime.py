"""PyTorch, set so that a run gives the same bytes every time."""

import ctypes

import torch

from versus import params

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of glibc's malloc.h


def start(compute: params.Compute, precision: str) -> None:
    """Fix the number of threads (the last bits depend on it) and the type of floats ("float32" or "float64")."""
    torch.set_default_dtype(getattr(torch, precision))
    torch.set_num_threads(compute.threads)
    _keep_memory()


def _keep_memory() -> None:
    """Keep the memory of arrays for the next ones: glibc returns all above 32 MiB to the system, which clears it.

    That takes two thirds of the time of a batch of EfficientNet-Lite0's. TensorFlow and ONNX Runtime keep theirs.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other systems have none
    if mallopt:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
