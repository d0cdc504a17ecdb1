"""What features are computed on: `compute.device`, and what it can do."""

import re
from pathlib import Path

from versus import params

CPU = "cpu"
CPU_INFO = Path("/proc/cpuinfo")  # of Linux
BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}  # of Intel and AMD, of Intel, of Arm


class DeviceError(ValueError):
    """A device that is not there, or that cannot do what is asked of it."""


def no_gpu(framework: str) -> DeviceError:
    """Return the error of a framework that finds no GPU although it is to use one."""
    return DeviceError(f"compute.device: got 'cuda', but {framework} finds no GPU; expected an NVIDIA GPU with its "
                       "driver, and packages with CUDA: set it to cpu or auto, or look at `nvidia-smi`")


def check_precision(settings: params.Params, device: str) -> None:
    """Raise DeviceError if views are to be computed in bfloat16 on a processor without.

    Frameworks emulate it there, at 0.7 times float32's speed or a thirtieth (docs/speed.md). `device` is what this
    machine computes on; a cluster's workers compute on processors, of the same kind as its own.
    """
    on_processor = device == CPU or settings.compute.cluster != "none"
    if settings.extract.precision == "bfloat16" and on_processor and not has_bfloat16():
        raise DeviceError("extract.precision: got 'bfloat16', which this processor does not have, so that it would be "
                          f"slower than float32; expected one of {', '.join(sorted(BFLOAT16))} among the flags in "
                          f"{CPU_INFO}: set it to full")


def has_bfloat16() -> bool:
    """Say whether the processor computes in bfloat16; True where no file says it, as on macOS and Windows."""
    about = CPU_INFO.read_text() if CPU_INFO.is_file() else ""
    flags = re.search(r"^(?:flags|Features)\s*: (.*)$", about, re.MULTILINE)
    return not flags or not BFLOAT16.isdisjoint(flags[1].split())
