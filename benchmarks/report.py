"""From the JSON of pytest-benchmark to Markdown: the machine, and each test beside the others.

Run: python benchmarks/report.py BENCHMARK_JSON > benchmarks/RESULTS.md
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from math import log
from pathlib import Path
from statistics import linear_regression
from typing import Any

HEADING = """\
# Benchmarks

Made by `make bench`, or by `make bench-rows` where it is about rows alone. `times the first`
compares the least times within a table: 2.00 took twice as long as its first row. What is
compared, and how, stands at the head of each file in this folder.
"""
COLUMNS = ("test", "median", "least", "rounds", "times the first", "beside the time")


def report(run: Mapping[str, Any]) -> str:
    """Machine, versions and date, then one table a group, in the order in which they were run."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for benchmark in run["benchmarks"]:
        name = benchmark["group"] or benchmark["fullname"].partition("::")[0]
        groups.setdefault(name, []).append(benchmark)
    tables = [f"## {name}\n\n{_table(group)}\n{_growth(group)}" for name, group in groups.items()]
    return "\n".join([HEADING, _facts(run), *tables])


def _facts(run: Mapping[str, Any]) -> str:
    machine, commit = run["machine_info"], run["commit_info"]
    processor = machine["cpu"].get("brand_raw") or machine["machine"]
    changed = " with changes" if commit.get("dirty") else ""
    facts = {
        "processor": f"{processor}, {machine['cpu'].get('count', '?')} cores",
        "system": f"{machine['system']} {machine['release']}, {machine['machine']}",
        "versions": noted(machine.get("versions") or {"python": machine["python_version"]}),
        "date": f"{run['datetime'][:16].replace('T', ' ')} UTC",
        "commit": f"{str(commit.get('id'))[:12]}{changed}",
    }
    return "".join(f"- {name}: {fact}\n" for name, fact in facts.items())


def _table(group: Sequence[Mapping[str, Any]]) -> str:
    first = group[0]["stats"]["min"]
    ratios = [benchmark["stats"]["min"] / first for benchmark in group]
    rows = [
        (
            benchmark["name"].replace("|", r"\|"),
            seconds(benchmark["stats"]["median"]),
            seconds(benchmark["stats"]["min"]),
            str(benchmark["stats"]["rounds"]),
            f"{ratio:.2f}" if ratio > 0.1 else f"{ratio:.2g}",
            noted(benchmark["extra_info"]),
        )
        for benchmark, ratio in zip(group, ratios, strict=True)
    ]
    columns = COLUMNS if any(row[-1] for row in rows) else COLUMNS[:-1]
    lines = [columns, ("---", *["---:"] * 4, "---")[: len(columns)]]
    lines += [row[: len(columns)] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _growth(group: Sequence[Mapping[str, Any]]) -> str:
    """How time grows with the number of rows, where a group is measured at several."""
    points = [
        (log(benchmark["params"]["rows"]), log(benchmark["stats"]["min"]))
        for benchmark in group
        if "rows" in (benchmark.get("params") or {})
    ]
    if len(points) < 2:
        return ""
    overall, last = (_slope(some) for some in (points, points[-2:]))
    return f"\nSlope of log time over log rows: {overall:.2f}; between the last two {last:.2f}.\n"


def _slope(points: Sequence[tuple[float, float]]) -> float:
    return linear_regression(*zip(*points, strict=True)).slope


def seconds(duration: float) -> str:
    """A duration in the unit that suits it.

    >>> seconds(12.3456), seconds(0.0123456), seconds(0.0000123456)
    ('12.3 s', '12.3 ms', '12.3 us')
    """
    for unit, size in (("s", 1), ("ms", 1e-3)):
        if duration >= size:
            return f"{duration / size:.3g} {unit}"
    return f"{duration * 1e6:.3g} us"


def noted(value: object) -> str:
    """What a benchmark kept beside its time.

    >>> noted({"bare": 20.123, "ratio to linear": {"value": 1.0, "low": 0.9}})
    'bare 20.1, ratio to linear value 1, low 0.9'
    """
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {noted(one)}" for name, one in value.items())
    return f"{value:.3g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    print(report(json.loads(Path(sys.argv[1]).read_text())), end="")
