"""What features are computed on: `compute.device`, and what it can do."""

import re
from pathlib import Path

from versus import params

CPU = "cpu"
ABOUT = Path("/proc/cpuinfo")  # of Linux
BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}  # of Intel and AMD, of Intel, of Arm


class DeviceError(ValueError):
    """A device that is not there, or that cannot do what is asked of it."""


def no_gpu(framework: str) -> DeviceError:
    """Return the error of a framework that finds no GPU although it is to use one."""
    return DeviceError(f"compute.device: got 'cuda', but {framework} finds no GPU; expected an NVIDIA GPU with its "
                       "driver, and packages with CUDA: set it to cpu or auto, or look at `nvidia-smi`")


def check_precision(extract: params.Extract, device: str) -> None:
    """Raise DeviceError if views are to be computed in bfloat16 on a processor without.

    Frameworks put it together from other operations then, half to a thirtieth as fast as float32 (docs/speed.md).
    """
    if extract.precision == "bfloat16" and device == CPU and not has_bfloat16():
        raise DeviceError("extract.precision: got 'bfloat16', which this processor does not have, so that it would be "
                          f"slower than float32; expected one of {', '.join(sorted(BFLOAT16))} among the flags in "
                          f"{ABOUT}: set it to full")


def has_bfloat16() -> bool:
    """Say whether the processor computes in bfloat16; True where only trying would tell, which is not on Linux."""
    flags = re.search(r"^(?:flags|Features)\s*: (.*)$", ABOUT.read_text(), re.MULTILINE) if ABOUT.is_file() else None
    return not flags or not BFLOAT16.isdisjoint(flags[1].split())
