"""PyTorch, set so that a run gives the same bytes every time."""

import ctypes
import os

import torch

from versus import params
from versus.frameworks.devices import CPU, no_gpu

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # of glibc's malloc.h
device = torch.device(CPU)  # on which features are computed


def start(compute: params.Compute, precision: str) -> str:
    """Fix the number of threads (the last bits depend on it) and the type of floats ("float32" or "float64").

    Returns what features are computed on: "cpu" or the name of a GPU. Raises DeviceError if there is none as asked for.
    """
    global device
    torch.set_default_dtype(getattr(torch, precision))
    torch.set_num_threads(compute.threads)
    _keep_memory()
    gpu = compute.device != CPU and torch.cuda.is_available()
    if compute.device == "cuda" and not gpu:
        raise no_gpu("PyTorch")
    device = torch.device("cuda" if gpu else CPU)
    if not gpu:
        return CPU
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it cuBLAS is not deterministic
    torch.use_deterministic_algorithms(True)
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    return torch.cuda.get_device_name()


def _keep_memory() -> None:
    """Keep the memory of arrays for the next ones: glibc returns all above 32 MiB to the system, which clears it.

    That takes two thirds of the time of a batch of EfficientNet-Lite0's. TensorFlow and ONNX Runtime keep theirs.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # other systems have none
    if mallopt:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
