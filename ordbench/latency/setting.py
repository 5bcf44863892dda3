"""What the heads of one comparison share: the stage, the runtime and the sizes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar, cast, get_args

from ordbench.errors import SpecError
from ordbench.runs.resources import resolve_device
from ordbench.utils.environment import machine
from ordbench.utils.text import items, parse_numbers

Stage = Literal["deployed", "with-text", "train"]
Runtime = Literal["eager", "compile", "onnx"]
Arithmetic = Literal["float32", "bfloat16", "float16", "float64"]
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class LatencySetting:
    """One comparison of heads.

    Attributes:
        stage: ``deployed``: what is shipped, features to outputs. ``with-text``: the same of a
            prompt head that encodes its prompts anew at each call. ``train``: a training step,
            which is forward, loss, backward and update.
        runtime: ``eager`` PyTorch, ``torch.compile``, or ONNX Runtime.
        batch: N.
        num_ranks: K.
        in_features: D.
        dtype: Arithmetic.
        device: As torch names it: ``cpu``, ``cuda`` or ``cuda:1``.
        text: Backbone whose text tower is prompted; empty for random weights.
    """

    stage: Stage = "deployed"
    runtime: Runtime = "eager"
    batch: int = 1
    num_ranks: int = 101
    in_features: int = 512
    dtype: Arithmetic = "float32"
    device: str = "cpu"
    text: str = ""

    def __str__(self) -> str:
        sizes = f"N={self.batch}, K={self.num_ranks}, D={self.in_features}"
        text = f", text {self.text}" if self.text else ""
        return f"{self.stage}, {self.runtime}, {sizes}, {self.dtype}, {self.device}{text}"


def settings(
    *,
    stages: Sequence[str],
    runtimes: Sequence[str],
    batches: Sequence[str],
    ranks: Sequence[str],
    widths: Sequence[str],
    dtypes: Sequence[str],
    devices: Sequence[str],
    text: str = "",
) -> list[LatencySetting]:
    """Every combination of what was typed; each but ``text`` takes comma-separated values.

    Raises:
        SpecError: If an argument is empty, a name unknown, a number too small, or a device not
            usable.

    >>> grid = {"stages": ["deployed"], "runtimes": ["eager"], "batches": ["1,32"]}
    >>> grid |= {"ranks": ["101"], "widths": ["512"], "dtypes": ["float32"], "devices": ["cpu"]}
    >>> for setting in settings(**grid):
    ...     print(setting)
    deployed, eager, N=1, K=101, D=512, float32, cpu
    deployed, eager, N=32, K=101, D=512, float32, cpu
    """
    axes = itertools.product(
        _names(stages, "--stage", get_args(Stage)),
        dict.fromkeys(map(resolve_device, _some(items(devices), "--device"))),
        _names(dtypes, "--dtype", get_args(Arithmetic)),
        _sizes(ranks, "--ranks", at_least=2),
        _sizes(widths, "--features"),
        _names(runtimes, "--runtime", get_args(Runtime)),
        _sizes(batches, "--batch"),
    )
    return [
        LatencySetting(
            stage=cast(Stage, stage),
            runtime=cast(Runtime, runtime),
            batch=batch,
            num_ranks=num_ranks,
            in_features=in_features,
            dtype=cast(Arithmetic, dtype),
            device=device,
            text=text,
        )
        for stage, device, dtype, num_ranks, in_features, runtime, batch in axes
    ]


def gpus(settings: Iterable[LatencySetting]) -> dict[str, str]:
    """Names of the GPUs that some settings use, by device.

    >>> gpus([LatencySetting(device="cpu")])
    {}
    """
    about = {setting.device: machine(setting.device) for setting in settings}
    return {device: facts["gpu"] for device, facts in about.items() if "gpu" in facts}


def _some(values: list[T], flag: str) -> list[T]:
    if not values:
        raise SpecError(f"{flag} has no value")
    return values


def _names(texts: Iterable[str], flag: str, known: tuple[str, ...]) -> list[str]:
    names = _some(items(texts), flag)
    for name in names:
        if name not in known:
            raise SpecError(f"{flag} {name}: wanted some of {', '.join(known)}")
    return names


def _sizes(texts: Iterable[str], flag: str, *, at_least: int = 1) -> list[int]:
    sizes = _some(parse_numbers(texts, flag), flag)
    for size in sizes:
        if size < at_least:
            raise SpecError(f"{flag} {size}: wanted a whole number of at least {at_least}")
    return sizes
