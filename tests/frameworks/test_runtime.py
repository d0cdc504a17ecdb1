"""What features are computed on: the CPU unless a GPU is there, and one sentence where it is missing."""

import pytest

from tests.frameworks.conftest import COMPUTE
from versus.frameworks.devices import DeviceError


@pytest.mark.parametrize("device", ["auto", "cpu"])
def test_the_device_is_said(own, device):
    assert own.runtime.start(COMPUTE.model_copy(update={"device": "cpu"}), "float32") == "cpu"
    named = own.runtime.start(COMPUTE.model_copy(update={"device": device}), "float32")
    assert named == "cpu" if device == "cpu" else named


def test_a_gpu_that_is_missing_is_named_with_what_to_do(own):
    if own.runtime.start(COMPUTE, "float32") != "cpu":
        pytest.skip("there is a GPU")
    with pytest.raises(DeviceError, match="compute.device: got 'cuda', but .* finds no GPU; .* cpu or auto"):
        own.runtime.start(COMPUTE.model_copy(update={"device": "cuda"}), "float32")
    own.runtime.start(COMPUTE, "float32")
