from typing import Any

import pytest
import torch

from ordbench.errors import SpecError
from ordbench.latency.setting import LatencySetting, settings

GRID = {
    "stage": ["deployed"],
    "runtime": ["eager"],
    "batch": ["1"],
    "ranks": ["101"],
    "features": ["512"],
    "dtype": ["float32"],
    "device": ["cpu"],
}


def grid(**changes: list[str]) -> list[LatencySetting]:
    axes: dict[str, Any] = {**GRID, **changes}
    return settings(**axes)


def test_the_text_tower_is_named_where_it_is_not_the_default() -> None:
    axes: dict[str, Any] = GRID
    assert str(settings(**axes, text="clip:tiny")[0]).endswith(", cpu, text clip:tiny")


def test_every_combination_is_there_once_and_batches_stand_together() -> None:
    found = grid(stage=["deployed,train"], batch=["1,32", "32"], features=["512,1024"])
    assert [(one.stage, one.in_features, one.batch) for one in found] == [
        (stage, width, batch)
        for stage in ("deployed", "train")
        for width in (512, 1024)
        for batch in (1, 32)
    ]


def test_auto_is_the_device_there_is_and_is_not_measured_twice() -> None:
    device = "cuda" if torch.cuda.is_available() else "cpu"
    assert [one.device for one in grid(device=["auto", device])] == [device]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stage": ["shipped"]}, "--stage shipped: wanted 'deployed', 'with-text' or 'train'"),
        ({"runtime": ["tvm"]}, "--runtime tvm: wanted 'eager', 'compile' or 'onnx'"),
        (
            {"dtype": ["float8"]},
            "--dtype float8: wanted 'float32', 'bfloat16', 'float16' or 'float64'",
        ),
        ({"batch": ["0"]}, "--batch 0: wanted at least 1"),
        ({"ranks": ["1"]}, "--ranks 1: wanted at least 2"),
        ({"features": ["0"]}, "--features 0: wanted at least 1"),
        ({"batch": ["many"]}, "--batch many: wanted a whole number or a range such as 0-4"),
        ({"stage": [""]}, "--stage has no value"),
        ({"batch": [","]}, "--batch has no value"),
        ({"device": [""]}, "--device has no value"),
        ({"device": ["tpu"]}, "--device tpu: wanted auto, cpu, cuda or cuda:N"),
    ],
    ids=lambda value: str(value),
)
def test_what_cannot_be_had_is_refused_by_its_option(
    change: dict[str, list[str]], message: str
) -> None:
    with pytest.raises(SpecError) as caught:
        grid(**change)
    assert str(caught.value) == message
