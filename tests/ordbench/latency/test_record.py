import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ordbench.errors import SpecError
from ordbench.latency import record
from ordbench.latency.compare import Comparison, Row
from ordbench.latency.cost import Cost
from ordbench.latency.record import to_json
from ordbench.latency.setting import LatencySetting
from ordbench.latency.timing import Ratio, Timings

COST = Cost(parameters=505, memory=None, flops=1000)
SETTING = LatencySetting(batch=32, num_ranks=5, in_features=100)


def samples(rounds: int) -> Timings:
    seconds = np.random.default_rng(rounds).lognormal(-10, 1, rounds)
    return Timings((seconds[: rounds // 2], seconds[rounds // 2 :]), repeats=4)


def written(device: str = "cpu") -> str:
    setting = SETTING.model_copy(update={"device": device})
    rows = (
        Row("linear", samples(20), Ratio(1, 1, 1), COST),
        Row("coral", samples(20), Ratio(2, 1.5, 3), COST),
        Row("coop", samples(20), None, COST),
    )
    return to_json([Comparison(setting, rows, {"zeroshot": "no tower"})], threads=3)


def test_a_missing_pytest_benchmark_is_named_before_anything_is_timed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(record, "find_spec", lambda name: None)
    with pytest.raises(SpecError, match="pip install 'ordbench"):
        record.require_pytest_benchmark()


def test_pytest_benchmark_compares_it(tmp_path: Path) -> None:
    file = tmp_path / "latency.json"
    file.write_text(written())
    command = [sys.executable, "-m", "pytest_benchmark", "compare", str(file)]
    done = subprocess.run(
        [*command, "--group-by=param:head", "--columns=median,ops,iterations"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    for head in ("linear", "coral", "coop"):
        assert f"benchmark 'head={head}': 1 tests" in done.stdout
        assert f"{head}[{SETTING}]" in done.stdout


def test_what_pytest_benchmark_has_no_field_for_is_extra() -> None:
    content: dict[str, Any] = json.loads(written())
    linear, coral, coop = content["benchmarks"]
    assert coral["extra_info"]["ratio_to_linear"] == {"estimate": 2, "low": 1.5, "high": 3}
    assert coop["extra_info"]["ratio_to_linear"] is None
    assert linear["extra_info"]["images_per_second"] == pytest.approx(
        32 / linear["stats"]["median"]
    )
    assert (linear["extra_info"]["parameters"], linear["extra_info"]["flops"]) == (505, 1000)
    assert linear["extra_info"]["memory_bytes"] is None
    assert linear["extra_info"]["trials"] == 2
    assert linear["params"]["batch"] == 32
    assert content["ordbench"]["threads"] == 3
    (skipped,) = content["ordbench"]["not_timed"]
    assert (skipped["head"], skipped["reason"], skipped["stage"]) == (
        "zeroshot",
        "no tower",
        "deployed",
    )


def test_no_computer_is_named() -> None:
    assert json.loads(written())["machine_info"]["node"] == ""


def test_the_gpu_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Imagined GPU")
    assert json.loads(written("cuda"))["machine_info"]["gpus"] == {"cuda": "Imagined GPU"}
    assert json.loads(written())["machine_info"]["gpus"] == {}
