import pytest
import torch

from ordbench.utils.environment import machine


def test_a_cpu_has_no_gpu() -> None:
    assert list(machine("cpu")) == ["processor", "cores", "system", "device"]


@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
def test_a_gpu_is_named(monkeypatch: pytest.MonkeyPatch, device: str) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda asked: f"the GPU of {asked}")
    assert machine(device) == {**machine("cpu"), "device": device, "gpu": f"the GPU of {device}"}


@pytest.mark.parametrize("error", [AssertionError, RuntimeError])
def test_a_gpu_that_cannot_be_asked_hides_no_failure(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def broken(device: str) -> str:
        raise error("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(torch.cuda, "get_device_name", broken)
    assert machine("cuda") == {**machine("cpu"), "device": "cuda"}
