import os
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import cast

import numpy as np
import pytest
import torch
from torch import nn

from ordbench.export import program
from ordbench.export.program import ONNX_PACKAGES
from ordbench.latency.runtimes import NotTimed, compiled, exported

FEATURES = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
HAS_ONNX = all(find_spec(name) for name in ONNX_PACKAGES)


def test_a_compiler_that_does_not_work_is_a_reason_of_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(function: object, **options: object) -> object:
        raise RuntimeError("no C++ compiler found\nset CXX")

    monkeypatch.setattr(torch, "compile", broken)
    with pytest.raises(NotTimed) as caught:
        compiled(nn.Linear(4, 2), FEATURES)
    assert str(caught.value) == (
        "torch.compile does not work here (RuntimeError: no C++ compiler found set CXX)"
    )


@pytest.mark.skipif(not which(os.environ.get("CXX", "g++")), reason="needs a C++ compiler")
def test_what_is_compiled_answers_as_the_module_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    module = nn.Sequential(nn.Linear(4, 2), nn.Sigmoid()).requires_grad_(False).eval()
    torch.testing.assert_close(compiled(module, FEATURES)(), module(FEATURES))
    assert list(tmp_path.rglob("*.so"))


def test_a_missing_package_is_named_with_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(name: str) -> object:
        return None if name == "onnxscript" else object()

    monkeypatch.setattr(program, "find_spec", found)
    with pytest.raises(NotTimed) as caught:
        exported(nn.Linear(4, 2), FEATURES)
    assert str(caught.value) == "not installed: onnxscript; pip install 'ordbench[onnx]'"


@pytest.mark.skipif(not HAS_ONNX, reason="needs ordbench[onnx]")
def test_onnx_runtime_answers_as_the_module_does() -> None:
    module = nn.Linear(4, 2).requires_grad_(False).eval()
    (answer,) = cast("list[np.ndarray]", exported(module, FEATURES)())
    torch.testing.assert_close(torch.from_numpy(answer), module(FEATURES))


@pytest.mark.skipif(not HAS_ONNX, reason="needs ordbench[onnx]")
def test_what_onnx_runtime_cannot_run_is_a_reason() -> None:
    module = nn.Linear(4, 2).requires_grad_(False).eval().bfloat16()
    with pytest.raises(NotTimed, match=r"^ONNX Runtime cannot run it \("):
        exported(module, FEATURES.bfloat16())
