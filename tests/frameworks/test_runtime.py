"""What features are computed on: the CPU unless a GPU is there, and one sentence where it is missing."""

import pytest

from tests.frameworks.conftest import COMPUTE
from versus.frameworks.devices import DeviceError


def test_the_device_is_said_and_a_missing_gpu_named_with_what_to_do(own):
    cpu, auto, cuda = (COMPUTE.model_copy(update={"device": device}) for device in ("cpu", "auto", "cuda"))
    try:
        assert own.runtime.start(cpu, "float32") == "cpu"
        if own.runtime.start(auto, "float32") == "cpu":
            with pytest.raises(DeviceError, match="compute.device: got 'cuda', but .* finds no GPU; .* cpu or auto"):
                own.runtime.start(cuda, "float32")
        else:
            assert own.runtime.start(cuda, "float32") == own.runtime.start(auto, "float32") != "cpu"
    finally:
        own.runtime.start(COMPUTE, "float32")
