import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from rich.console import Console

from ordbench.latency.compare import Comparison, Row
from ordbench.latency.cost import Cost
from ordbench.latency.setting import LatencySetting
from ordbench.latency.tables import COLUMNS, cells, conditions, si, tables
from ordbench.latency.timing import Ratio, Timings

COST = Cost(parameters=51813, memory=207_656, flops=103_424)
SETTING = LatencySetting(batch=32)


def row(label: str = "coral", rounds: int = 1000, ratio: Ratio | None = None) -> Row:
    """Timings of 1, 2, 3 ... microseconds."""
    seconds = np.arange(1.0, rounds + 1) * np.float64(1e-6)
    return Row(label, Timings((seconds,), repeats=1), ratio, COST)


def printed(*comparisons: Comparison) -> list[str]:
    console = Console(file=io.StringIO(), width=150)
    console.print(tables(comparisons))
    assert isinstance(console.file, io.StringIO)
    return [line.strip() for line in console.file.getvalue().splitlines() if line.strip()]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 s"),
        (999, "999 s"),
        (1000, "1.00 ks"),
        (999.96, "1.00 ks"),
        (0.1, "100 ms"),
        (9.996e-6, "10.0 us"),
        (1.5e-9, "1.50 ns"),
        (2e-12, "0.00200 ns"),
        (3e15, "3000 Ts"),
    ],
)
def test_numbers_have_three_digits_and_a_prefix(number: float, text: str) -> None:
    assert si(number, "s") == text


def test_a_row_says_how_long_how_many_and_how_much() -> None:
    found = dict(zip(COLUMNS, cells(row(ratio=Ratio(1.234, 1.1, 1.4)), SETTING), strict=True))
    assert found == {
        "head": "coral",
        "N": "32",
        "p50": "500 us",
        "p95": "950 us",
        "p99": "990 us",
        "img/s": "63.9 k",  # 32 / 500.5 us
        "x linear [95 %]": "1.23 [1.10, 1.40]",
        "params": "51.8 k",
        "memory": "208 kB",
        "FLOPs": "103 k",
    }


@pytest.mark.parametrize(("rounds", "known"), [(1, 0), (2, 1), (19, 1), (20, 2), (99, 2), (100, 3)])
def test_a_quantile_is_left_out_where_it_would_be_the_slowest_sample(
    rounds: int, known: int
) -> None:
    quantiles = cells(row(rounds=rounds), SETTING)[2:5]
    assert [text != "-" for text in quantiles] == [True] * known + [False] * (3 - known)


def test_what_is_not_known_is_a_dash_and_the_reference_is_1() -> None:
    unknown = replace(row(), cost=COST._replace(memory=None, flops=0))
    found = dict(zip(COLUMNS, cells(unknown, SETTING), strict=True))
    assert [found[name] for name in ("x linear [95 %]", "memory", "FLOPs")] == ["-"] * 3
    assert cells(row("linear", ratio=Ratio(1, 1, 1)), SETTING)[6] == "1"


def test_a_ratio_and_its_interval_have_the_same_decimals() -> None:
    assert cells(row(ratio=Ratio(0.996, 0.99, 1.0021)), SETTING)[6] == "0.996 [0.990, 1.002]"
    assert cells(row(ratio=Ratio(4017.4, 3000.2, 5000.6)), SETTING)[6] == "4017 [3000, 5001]"


def test_batches_share_a_table_and_the_rest_does_not() -> None:
    settings = [
        LatencySetting(batch=1),
        LatencySetting(batch=32),
        LatencySetting(batch=32, runtime="onnx"),
        LatencySetting(batch=1, in_features=1024),
        LatencySetting(batch=1, stage="train"),
    ]
    lines = printed(*(Comparison(setting, (row(),), {}) for setting in settings))
    titles = [index for index, line in enumerate(lines) if not line.startswith("|")]
    assert [lines[index].rsplit(". ")[-1] for index in titles] == [
        "K=101, D=512, float32, cpu, eager.",
        "K=101, D=512, float32, cpu, onnx.",
        "K=101, D=1024, float32, cpu, eager.",
        "K=101, D=512, float32, cpu, eager.",
    ]
    assert len([line for line in lines if line.startswith("|coral|")]) == 5


def test_a_table_is_markdown() -> None:
    head, rule, line = printed(Comparison(SETTING, (row(),), {}))[1:]
    assert head.count("|") == rule.count("|") == line.count("|") == len(COLUMNS) + 1
    assert set(rule) == {"|", "-"}
    assert len(line) <= 80


def test_reasons_stand_below_once_and_are_no_markup() -> None:
    skipped = {"coop": "no [bold] tower", "zeroshot": "no [bold] tower"}
    first, second = (
        Comparison(LatencySetting(batch=n), (row("x[red]"),), skipped) for n in (1, 32)
    )
    lines = printed(first, second)
    assert lines[-1] == "not timed: coop, zeroshot: no [bold] tower"
    assert sum("not timed" in line for line in lines) == 1
    assert "x[red]" in lines[3]


def test_where_nobody_was_timed_there_is_no_empty_table() -> None:
    lines = printed(Comparison(SETTING, (), {"coral": "out of order"}))
    assert lines[1:] == ["not timed: coral: out of order"]


def test_conditions_name_threads_and_torch() -> None:
    assert " 1 thread on " in conditions([], 1)
    assert " 2 threads on " in conditions([], 2)
    assert " cores, torch 2." in conditions([Comparison(SETTING, (row(),), {})], 1)


def test_conditions_name_each_gpu_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"GPU {device[-1]}")
    devices = ("cpu", "cuda:0", "cuda:1", "cuda:0")
    comparisons = [Comparison(LatencySetting(device=device), (row(),), {}) for device in devices]
    assert " cores, cuda:0 is GPU 0, cuda:1 is GPU 1, torch 2." in conditions(comparisons, 1)
