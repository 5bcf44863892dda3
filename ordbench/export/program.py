"""A module as a graph that takes any number of rows, and that graph as an ONNX model."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

from ordbench.errors import SpecError

ONNX_PACKAGES = ("onnx", "onnxscript", "onnxruntime")


def require_onnx() -> None:
    """Refuse ONNX where a package for it is missing.

    Raises:
        SpecError: Naming what is missing.
    """
    missing = [name for name in ONNX_PACKAGES if find_spec(name) is None]
    if missing:
        raise SpecError(f"not installed: {', '.join(missing)}; pip install 'ordbench[onnx]'")


def trace(module: nn.Module, inputs: Tensor) -> ExportedProgram:
    """The graph of a module that takes one tensor, for any number of rows.

    Args:
        module: In eval mode.
        inputs: ``(N, ...)``, at least one row.
    """
    two = inputs[:1].expand(2, *inputs.shape[1:]).contiguous()  # 1 would count as a constant
    with torch.no_grad():
        program = torch.export.export(module, (two,), dynamic_shapes=({0: Dim("batch")},))
    for tensor in (*program.state_dict.values(), *program.constants.values()):
        if isinstance(tensor, Tensor):
            # Else a part of a larger one would bring all of it, and channels last be reordered.
            tensor.data = tensor.data.clone(memory_format=torch.contiguous_format)
    for node in program.graph.nodes:
        node.meta.pop("stack_trace", None)  # names the folders of this machine
    return program


def to_onnx(program: ExportedProgram, *, takes: str, gives: str, about: str = "") -> bytes:
    """The bytes of an ONNX model; the packages of `require_onnx` must be there.

    Args:
        program: The graph.
        takes: What its input is called.
        gives: What its output is called.
        about: Is put into its metadata, under the key ``ordbench``.
    """
    with warnings.catch_warnings(), _without_words("onnxscript"):
        warnings.simplefilter("ignore")  # of the exporter, about itself
        made: Any = torch.onnx.export(
            program.run_decompositions({torch.ops.aten.linalg_vector_norm.default: _length}),
            dynamo=True,
            verbose=False,
            input_names=[takes],
            output_names=[gives],
            dynamic_shapes=({0: Dim("batch")},),
        )
    model: Any = made.model_proto
    if about:
        model.metadata_props.add(key="ordbench", value=about)
    content: bytes = model.SerializeToString()
    return content


def _length(
    x: Tensor,
    ord: float = 2,
    dim: list[int] | None = None,
    keepdim: bool = False,
    *,
    dtype: torch.dtype | None = None,
) -> Tensor:
    """Euclidean lengths by products and a sum: ONNX Runtime takes twice as long for ReduceL2."""
    if ord != 2 or dim is None or dtype is not None:
        return cast(Tensor, NotImplemented)
    return (x * x).sum(dim, keepdim).sqrt()


def open_session(content: bytes, *, provider: str = "CPUExecutionProvider") -> Any:  # noqa: ANN401 - onnxruntime is untyped
    """A session of ONNX Runtime, on as many threads as PyTorch uses."""
    runtime = import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3  # errors
    return runtime.InferenceSession(content, options, providers=[provider])


@contextmanager
def _without_words(library: str) -> Generator[None]:
    logger = logging.getLogger(library)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
