"""The formats of an export: each is written, read back, and run on the same inputs as PyTorch."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeVar

import torch
from safetensors.torch import load, save
from torch import Tensor, nn
from torch.export import ExportedProgram

from ordbench.errors import SpecError
from ordbench.export.program import open_session, require_onnx, to_onnx, trace
from ordbench.utils.text import did_you_mean, one_line, printable

METADATA = "ordbench"
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Exportable:
    """A module of one input and one output.

    Attributes:
        module: What is exported.
        takes: What its input is called.
        gives: What its output is called.
        about: JSON; each file has it in its metadata, under the key ``ordbench``.
    """

    module: nn.Module
    takes: str
    gives: str
    about: str


class Written(NamedTuple):
    """The bytes of a file, and how far its outputs are from PyTorch's at most."""

    content: bytes
    difference: float


@torch.no_grad()
def write(what: Exportable, inputs: Tensor, formats: Sequence[str]) -> dict[str, Written]:
    """The files of a module, by format.

    Args:
        what: The module.
        inputs: ``(N, ...)``, on which each file is compared with PyTorch.
        formats: Some of ``onnx``, ``pt2`` and ``safetensors``.

    Raises:
        SpecError: If there is no such format, its packages are not installed, or the module cannot
            be exported.
    """
    for name in formats:
        if name not in _FORMATS:
            raise SpecError(f"unknown format {name!r}; {did_you_mean(name, _FORMATS)}")
    if "onnx" in formats:
        require_onnx()
    module = what.module.eval().requires_grad_(False)
    expected: Tensor = module(inputs)
    program = _exported("", lambda: trace(module, inputs))
    found: dict[str, Written] = {}
    for name in formats:
        to_bytes, run = _FORMATS[name]
        content = _exported(f" to {name}", partial(to_bytes, program, what))
        outputs = run(content, program, inputs)
        found[name] = Written(content, float((outputs - expected).abs().max()))
    return found


def _exported(how: str, make: Callable[[], T]) -> T:
    try:
        return make()
    except Exception as error:  # exporters raise anything
        cause: BaseException = error
        while cause.__cause__:
            cause = cause.__cause__  # the outer ones say what else to read
        raise SpecError(f"it cannot be exported{how}: {printable(one_line(cause))}") from error


def _onnx(program: ExportedProgram, what: Exportable) -> bytes:
    return to_onnx(program, takes=what.takes, gives=what.gives, about=what.about)


def _run_onnx(content: bytes, program: ExportedProgram, inputs: Tensor) -> Tensor:
    session = open_session(content)
    (outputs,) = session.run(None, {session.get_inputs()[0].name: inputs.numpy()})
    return torch.from_numpy(outputs)


def _pt2(program: ExportedProgram, what: Exportable) -> bytes:
    file = io.BytesIO()
    torch.export.save(program, file, extra_files={METADATA: what.about})
    return file.getvalue()


def _run_pt2(content: bytes, program: ExportedProgram, inputs: Tensor) -> Tensor:
    outputs: Tensor = torch.export.load(io.BytesIO(content)).module()(inputs)
    return outputs


def _safetensors(program: ExportedProgram, what: Exportable) -> bytes:
    tensors = {name: t for name, t in program.constants.items() if isinstance(t, Tensor)}
    tensors |= program.state_dict
    # Copies: safetensors refuses tensors that share memory.
    plain = {name: tensor.detach().contiguous().clone() for name, tensor in tensors.items()}
    return save(plain, {METADATA: what.about})


def _run_safetensors(content: bytes, program: ExportedProgram, inputs: Tensor) -> Tensor:
    tensors = load(content)
    module = program.module()
    module.load_state_dict({name: tensors[name] for name in program.state_dict})
    outputs: Tensor = module(inputs)
    return outputs


_FORMATS = {
    "onnx": (_onnx, _run_onnx),
    "pt2": (_pt2, _run_pt2),
    "safetensors": (_safetensors, _run_safetensors),
}
