"""Latencies as the JSON of pytest-benchmark, so that `pytest-benchmark compare` reads them.

Source: pytest-benchmark 5, https://pytest-benchmark.readthedocs.io
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ordbench.errors import SpecError
from ordbench.latency.setting import LatencySetting, gpus
from ordbench.utils.environment import machine, versions

if TYPE_CHECKING:
    from ordbench.latency.compare import Comparison, Row
    from ordbench.latency.timing import Timings

FORMAT = "5.1.0"  # of pytest-benchmark


def require_pytest_benchmark() -> None:
    """Refuse to begin what could not be written.

    Raises:
        SpecError: If pytest-benchmark is not installed.
    """
    if find_spec("pytest_benchmark") is None:
        raise SpecError("--json needs pytest-benchmark; run: pip install 'ordbench[bench]'")


def to_json(comparisons: Iterable[Comparison], *, threads: int) -> str:
    """All rows, in seconds; what was not timed, and why, is below the key ``ordbench``."""
    comparisons = list(comparisons)
    about = machine("cpu")
    content = {
        "machine_info": {
            "node": "",  # names a person's computer
            "processor": about["processor"],
            "machine": platform.machine(),
            "system": platform.system(),
            "release": platform.release(),
            "python_version": platform.python_version(),
            "python_implementation": platform.python_implementation(),
            "cpu": {"brand_raw": about["processor"], "count": int(about["cores"])},
            "gpus": gpus(comparison.setting for comparison in comparisons),
        },
        "commit_info": {"id": "unversioned", "time": None, "dirty": False, "project": "ordbench"},
        "benchmarks": [
            _benchmark(row, comparison.setting)
            for comparison in comparisons
            for row in comparison.rows
        ],
        "datetime": datetime.now(UTC).isoformat(),
        "version": FORMAT,
        "ordbench": {
            "versions": versions(),
            "threads": threads,
            "not_timed": [
                {"head": label, **comparison.setting.model_dump(), "reason": reason}
                for comparison in comparisons
                for label, reason in comparison.skipped.items()
            ],
        },
    }
    return json.dumps(content, indent=1) + "\n"


def _benchmark(row: Row, setting: LatencySetting) -> dict[str, object]:
    """One row; what pytest-benchmark has no field for is extra information."""
    shared = str(setting)
    name = f"{row.label}[{shared}]"
    return {
        "group": shared,
        "name": name,
        "fullname": f"ordbench latency::{name}",
        "params": {"head": row.label, **setting.model_dump()},
        "param": f"{row.label}, {shared}",
        "options": {"disable_gc": True, "timer": "perf_counter_ns"},
        "stats": stats(row.samples),
        "extra_info": {
            "p50": row.samples.quantile(0.5),
            "p95": row.samples.quantile(0.95),
            "p99": row.samples.quantile(0.99),
            "trials": len(row.samples.trials),
            "images_per_second": setting.batch / row.samples.quantile(0.5),
            "ratio_to_linear": row.ratio._asdict() if row.ratio else None,
            "parameters": row.cost.parameters,
            "memory_bytes": row.cost.memory,
            "flops": row.cost.flops,
        },
    }


def stats(samples: Timings) -> dict[str, int | float | str]:
    """The statistics of one benchmark, computed by pytest-benchmark.

    >>> import numpy as np
    >>> from ordbench.latency.timing import Timings
    >>> found = stats(Timings((np.array([1.0, 2.0]), np.array([6.0])), repeats=4))
    >>> found["mean"], found["median"], found["rounds"], found["iterations"]
    (3.0, 2.0, 3, 4)
    """
    found = import_module("pytest_benchmark.stats").Stats()  # untyped
    found.data = samples.seconds.tolist()
    return {**found.as_dict(), "iterations": samples.repeats}
