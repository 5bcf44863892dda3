"""What the heads of one comparison share: the stage, the runtime and the sizes."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ordbench.errors import SpecError
from ordbench.runs.resources import resolve_device
from ordbench.utils.environment import machine
from ordbench.utils.text import items, parse_numbers
from ordbench.utils.wording import wanted

Stage = Literal["deployed", "with-text", "train"]
Runtime = Literal["eager", "compile", "onnx"]
Arithmetic = Literal["float32", "bfloat16", "float16", "float64"]


class LatencySetting(BaseModel):
    """One comparison of heads.

    Attributes:
        stage: ``deployed``: the deployed module, features to outputs. ``with-text``: a prompt
            head that encodes its prompts at each call. ``train``: a training step, which is
            forward, loss, backward and update.
        runtime: ``eager`` PyTorch, ``torch.compile``, or ONNX Runtime.
        batch: N.
        num_ranks: K.
        in_features: D.
        dtype: Precision.
        device: As torch names it: ``cpu``, ``cuda`` or ``cuda:1``.
        text: Backbone whose text encoder the prompt heads use; empty for random weights.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    stage: Stage = "deployed"
    runtime: Runtime = "eager"
    batch: int = Field(default=1, ge=1)
    num_ranks: int = Field(default=101, ge=2)
    in_features: int = Field(default=512, ge=1)
    dtype: Arithmetic = "float32"
    device: str = "cpu"
    text: str = ""

    def __str__(self) -> str:
        sizes = f"N={self.batch}, K={self.num_ranks}, D={self.in_features}"
        text = f", text {self.text}" if self.text else ""
        return f"{self.stage}, {self.runtime}, {sizes}, {self.dtype}, {self.device}{text}"


def settings(
    *,
    stage: Sequence[str] = ("deployed",),
    runtime: Sequence[str] = ("eager",),
    batch: Sequence[str] = ("1",),
    ranks: Sequence[str] = ("101",),
    features: Sequence[str] = ("512",),
    dtype: Sequence[str] = ("float32",),
    device: Sequence[str] = ("auto",),
    text: str = "",
) -> list[LatencySetting]:
    """Every combination of the options of ``ordbench latency``, each with one value or several.

    Raises:
        SpecError: If an option has no value, or a value that it does not take.

    >>> for setting in settings(batch=["1,32"], device=["cpu"]):
    ...     print(setting)
    deployed, eager, N=1, K=101, D=512, float32, cpu
    deployed, eager, N=32, K=101, D=512, float32, cpu
    """
    axes: dict[str, Sequence[object]] = {
        "stage": items(stage),
        "device": [resolve_device(name) for name in items(device)],
        "dtype": items(dtype),
        "num_ranks": parse_numbers(ranks, "--ranks"),
        "in_features": parse_numbers(features, "--features"),
        "runtime": items(runtime),
        "batch": parse_numbers(batch, "--batch"),
    }
    for field, values in axes.items():
        if not values:
            raise SpecError(f"{_flag(field)} has no value")
    try:
        return [
            LatencySetting.model_validate({**dict(zip(axes, values, strict=True)), "text": text})
            for values in itertools.product(*map(dict.fromkeys, axes.values()))
        ]
    except ValidationError as error:
        first = error.errors()[0]
        raise SpecError(f"{_flag(first['loc'][0])} {first['input']}: {wanted([first])}") from None


def _flag(field: int | str) -> str:
    return {"num_ranks": "--ranks", "in_features": "--features"}.get(str(field), f"--{field}")


def gpus(settings: Iterable[LatencySetting]) -> dict[str, str]:
    """Names of the GPUs that some settings use, by device.

    >>> gpus([LatencySetting(device="cpu")])
    {}
    """
    about = {setting.device: machine(setting.device) for setting in settings}
    return {device: facts["gpu"] for device, facts in about.items() if "gpu" in facts}
