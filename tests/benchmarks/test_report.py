"""The Markdown that `make bench` writes."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "report.py"
report = runpy.run_path(str(SCRIPT))["report"]


def timed(name: str, least: float, group: str | None = "race", **beside: object) -> dict[str, Any]:
    stats = {"min": least, "median": 2 * least, "rounds": 3}
    return {
        "group": group,
        "name": name,
        "fullname": f"benchmarks/test_race.py::{name}",
        "extra_info": beside,
        "stats": stats,
    }


def run_of(*benchmarks: dict[str, Any]) -> dict[str, Any]:
    return {
        "machine_info": {
            "cpu": {"brand_raw": "Imagined 1", "count": 2},
            "machine": "x86_64",
            "system": "Linux",
            "release": "6.1",
            "python_version": "3.11.7",
            "versions": {"python": "3.11.7", "torch": "2.9.0"},
        },
        "commit_info": {"id": "0123456789abcdef", "dirty": True},
        "datetime": "2026-11-22T10:20:30.123456+00:00",
        "benchmarks": benchmarks,
    }


def rows(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("|")]


def test_machine_versions_date_and_commit_stand_on_top() -> None:
    text = report(run_of())
    assert "- processor: Imagined 1, 2 cores\n" in text
    assert "- versions: python 3.11.7, torch 2.9.0\n" in text
    assert "- date: 2026-11-22 10:20 UTC\n" in text
    assert "- commit: 0123456789ab with changes\n" in text


def test_each_test_is_compared_with_the_first_of_its_group_by_the_least_time() -> None:
    text = report(run_of(timed("test_slow", 0.5), timed("test_fast", 0.002)))
    assert rows(text) == [
        "| test | median | least | rounds | times the first |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| test_slow | 1 s | 500 ms | 3 | 1.00 |",
        "| test_fast | 4 ms | 2 ms | 3 | 0.004 |",
    ]


def test_groups_stay_in_order_and_a_test_without_one_stands_under_its_file() -> None:
    run = run_of(
        timed("test_b", 1, "second"),
        timed("test_x", 1, None),
        timed("test_a", 1, "first"),
        timed("test_c", 1, "second"),
    )
    titles = [line for line in report(run).splitlines() if line.startswith("## ")]
    assert titles == ["## second", "## benchmarks/test_race.py", "## first"]


def test_what_a_benchmark_kept_beside_its_time_is_shown_in_its_table_only() -> None:
    run = run_of(timed("test_a", 1, ratio=0.98765), timed("test_b", 1), timed("test_c", 1, "other"))
    found = rows(report(run))
    assert found[0].endswith("| rounds | times the first | beside the time |")
    assert found[2].endswith("| 1.00 | ratio 0.988 |")
    assert found[4] == "| test | median | least | rounds | times the first |"


def test_growth_with_rows_is_a_slope_in_logarithms() -> None:
    sizes = {1_000: 0.5, 10_000: 5.0, 100_000: 500.0}  # ten times as long, then a hundred times
    grown = [timed(f"test[{n}]", least) | {"params": {"rows": n}} for n, least in sizes.items()]
    said = "Slope of log time over log rows: 1.50; between the last two 2.00."
    assert said in report(run_of(*grown))
    assert "Slope" not in report(run_of(grown[0], timed("test_other", 1.0)))


def test_the_examples_in_the_report_are_true() -> None:
    subprocess.run([sys.executable, "-m", "doctest", SCRIPT], check=True)


def test_it_is_written_to_the_standard_output(tmp_path: Path) -> None:
    run = run_of(timed("test_a", 1))
    (tmp_path / "run.json").write_text(json.dumps(run))
    command = [sys.executable, SCRIPT, tmp_path / "run.json"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert printed == report(run)
