"""What features are computed on: the CPU unless a GPU is there, and one sentence where it is missing."""

import pytest

from tests.frameworks.conftest import COMPUTE
from versus import params
from versus.frameworks import devices
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


@pytest.mark.parametrize("about, has", [
    ("flags\t\t: fpu avx512f avx512_bf16 vaes\n", True), ("flags\t\t: fpu avx2\n", False), ("", True),
    ("processor\t: 0\nFeatures\t: fp asimd bf16 i8mm\n", True), ("Features\t: fp asimd\n", False)])
def test_bfloat16_is_refused_where_the_processor_has_none(tmp_path, monkeypatch, about, has):
    (tmp_path / "cpuinfo").write_text(about)
    monkeypatch.setattr(devices, "CPU_INFO", tmp_path / "cpuinfo")
    full = params.load()
    reduced = full.model_copy(update={"extract": full.extract.model_copy(update={"precision": "bfloat16"})})
    spread = reduced.model_copy(update={"compute": COMPUTE.model_copy(update={"cluster": "auto"})})
    devices.check_precision(full, "cpu")
    devices.check_precision(reduced, "NVIDIA H100")
    for settings, device in ((reduced, "cpu"), (spread, "NVIDIA H100")):
        if has:
            devices.check_precision(settings, device)
            continue
        with pytest.raises(DeviceError, match="extract.precision: got 'bfloat16', which .*; expected .*: set it to f"):
            devices.check_precision(settings, device)


def test_elsewhere_than_on_linux_bfloat16_is_tried(tmp_path, monkeypatch):
    monkeypatch.setattr(devices, "CPU_INFO", tmp_path / "nothing")
    assert devices.has_bfloat16()
