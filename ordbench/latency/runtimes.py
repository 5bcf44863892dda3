"""Ways to run a module: as it is, by torch.compile, or by ONNX Runtime."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

from ordbench.errors import SpecError
from ordbench.export.program import open_session, require_onnx, to_onnx, trace
from ordbench.latency.timing import Call
from ordbench.utils.text import one_line


class NotTimed(Exception):  # noqa: N818 - a reason, not a failure
    """Why a head has no row in a comparison."""


def reason(error: Exception) -> str:
    """The class and message of an error.

    >>> reason(ValueError("no compiler", 2))
    "ValueError: ('no compiler', 2)"
    """
    return f"{type(error).__name__}: {one_line(error)}"


def compiled(function: Callable[..., Tensor], *inputs: Tensor) -> Callable[[], Tensor]:
    """Compile a function for inputs of these shapes and call it once.

    Raises:
        NotTimed: If that does not work here, because there is no C++ compiler, say.
    """
    try:
        call: Callable[[], Tensor] = partial(torch.compile(function, dynamic=False), *inputs)
        call()
    except Exception as error:  # the compiler raises anything
        raise NotTimed(f"torch.compile does not work here ({reason(error)})") from error
    return call


def exported(module: nn.Module, features: Tensor) -> Call:
    """Export a module to ONNX for any batch, open it, and see that it answers alike.

    The features lie in the memory of the CPU, and on another device are copied at each call.

    Raises:
        NotTimed: If a package is missing, or the module cannot be exported or run.
    """
    try:
        require_onnx()
        session = _session(module, features)
        feed = {session.get_inputs()[0].name: features.cpu().numpy()}
        (answer,) = session.run(None, feed)
        wanted = module(features).cpu()
        torch.testing.assert_close(torch.from_numpy(answer), wanted, rtol=1e-2, atol=1e-2)
    except NotTimed:
        raise
    except SpecError as error:
        raise NotTimed(str(error)) from None
    except Exception as error:  # exporter and runtime raise anything
        raise NotTimed(f"ONNX Runtime cannot run it ({reason(error)})") from error
    return partial(session.run, None, feed)


def _session(module: nn.Module, features: Tensor) -> Any:  # noqa: ANN401 - onnxruntime is untyped
    wanted = "CUDAExecutionProvider" if features.is_cuda else "CPUExecutionProvider"
    if wanted not in import_module("onnxruntime").get_available_providers():
        raise NotTimed(f"this ONNX Runtime has no {wanted}")
    content = to_onnx(trace(module, features), takes="features", gives="outputs")
    return open_session(content, provider=wanted)
