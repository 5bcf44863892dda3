import pytest
import torch

from ordbench.backbone import Dtype
from ordbench.features.precision import LARGE, choose_dtype


def cpu_with(monkeypatch: pytest.MonkeyPatch, *, avx512: bool, amx: bool) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512, raising=False)
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx, raising=False)


@pytest.mark.parametrize("wanted", ["float32", "bfloat16", "float16"])
def test_what_the_user_says_holds(wanted: Dtype) -> None:
    for size in (0, LARGE):
        assert choose_dtype(wanted, "cpu", size) == wanted


@pytest.mark.parametrize(
    ("avx512", "amx", "size", "dtype"),
    [
        (True, False, LARGE, "bfloat16"),
        (False, True, LARGE, "bfloat16"),
        (False, False, LARGE, "float32"),
        (True, True, LARGE - 1, "float32"),
        (True, True, 0, "float32"),
    ],
)
def test_a_cpu_rounds_large_models_where_it_computes_in_bfloat16(
    avx512: bool, amx: bool, size: int, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    cpu_with(monkeypatch, avx512=avx512, amx=amx)
    assert choose_dtype("auto", "cpu", size) == dtype


def test_a_torch_that_does_not_tell_is_taken_for_one_that_cannot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cpu_with(monkeypatch, avx512=True, amx=True)
    monkeypatch.delattr(torch.cpu, "_is_avx512_bf16_supported")
    monkeypatch.delattr(torch.cpu, "_is_amx_tile_supported")
    assert choose_dtype("auto", "cpu", LARGE) == "float32"


@pytest.mark.parametrize(("supported", "dtype"), [(True, "bfloat16"), (False, "float16")])
def test_cuda_rounds_to_what_it_has(
    supported: bool, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: supported)
    assert choose_dtype("auto", "cuda:0", LARGE) == dtype
    assert choose_dtype("auto", "cuda:0", LARGE - 1) == "float32"
