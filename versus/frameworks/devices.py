"""What features are computed on: `compute.device`."""

CPU = "cpu"


class DeviceError(ValueError):
    """A device that is not there."""


def no_gpu(framework: str) -> DeviceError:
    """Return the error of a framework that finds no GPU although it is to use one."""
    return DeviceError(f"compute.device: got 'cuda', but {framework} finds no GPU; expected an NVIDIA GPU with its "
                       "driver, and packages with CUDA: set it to cpu or auto, or look at `nvidia-smi`")
