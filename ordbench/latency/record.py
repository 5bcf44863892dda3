"""Latencies as the JSON of pytest-benchmark, so that `pytest-benchmark compare` reads them.

Source: pytest-benchmark 5, https://pytest-benchmark.readthedocs.io
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from ordbench.latency.setting import LatencySetting, gpus
from ordbench.utils.environment import machine, versions

if TYPE_CHECKING:
    from ordbench.latency.compare import Comparison, Row
    from ordbench.latency.timing import Timings

FORMAT = "5.1.0"  # of pytest-benchmark


def to_json(comparisons: Iterable[Comparison], *, threads: int) -> str:
    """All rows, in seconds; what was not timed, and why, stands below ``ordbench``."""
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
                {"head": label, **asdict(comparison.setting), "reason": reason}
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
        "params": {"head": row.label, **asdict(setting)},
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
    """What pytest-benchmark writes about the samples of one benchmark, by its definitions.

    >>> from ordbench.latency.timing import Timings
    >>> found = stats(Timings((np.array([1.0, 2.0]), np.array([6.0])), repeats=4))
    >>> found["mean"], found["median"], found["rounds"], found["iterations"]
    (3.0, 2.0, 3, 4)
    """
    seconds = np.sort(samples.seconds)
    mean, stddev = seconds.mean(), seconds.std(ddof=1) if len(seconds) > 1 else 0.0
    # Hazen's quartiles are pytest-benchmark's.
    q1, q3 = np.quantile(seconds, [0.25, 0.75], method="hazen")
    fence = 1.5 * (q3 - q1)
    within = seconds[(seconds >= q1 - fence) & (seconds <= q3 + fence)]
    far, outside = int((abs(seconds - mean) > stddev).sum()), len(seconds) - len(within)
    return {
        "min": float(seconds[0]),
        "max": float(seconds[-1]),
        "mean": float(mean),
        "stddev": float(stddev),
        "rounds": len(seconds),
        "median": float(np.median(seconds)),
        "iqr": float(q3 - q1),
        "q1": float(q1),
        "q3": float(q3),
        "iqr_outliers": outside,
        "stddev_outliers": far,
        "outliers": f"{far};{outside}",
        "ld15iqr": float(within[0]),
        "hd15iqr": float(within[-1]),
        "ops": float(1 / mean),
        "total": float(seconds.sum()),
        "iterations": samples.repeats,
    }
