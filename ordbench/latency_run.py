"""What `ordbench latency` does: time a grid, print it, and write it to a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

from ordbench.atomic import write_atomic
from ordbench.errors import SpecError
from ordbench.latency import Comparison, compare
from ordbench.latency_heads import REFERENCE, Workbench
from ordbench.latency_json import to_json
from ordbench.latency_report import conditions, tables
from ordbench.latency_setting import Setting
from ordbench.render import WIDE


def run(
    grid: Sequence[Setting],
    heads: Sequence[str],
    *,
    seconds: float = 2.0,
    threads: int = 1,
    json: Path | None = None,
) -> None:
    """Time heads in every setting of a grid, print the tables, and write them as JSON.

    What was timed before an interruption is printed and written as well.

    Args:
        grid: Where to compare the heads.
        heads: As in `Workbench`.
        seconds: As in `compare`.
        threads: As in `compare`.
        json: File to write, as pytest-benchmark would.

    Raises:
        OrdbenchError: If a head or text tower cannot be had, the file not be written, or if
            none of the heads could be timed in any setting.
    """
    bench = Workbench(heads)
    timed = compare(grid, bench, seconds=seconds, threads=threads)
    done, errors = list[Comparison](), Console(stderr=True)
    try:
        done.extend(track(timed, "timing", len(grid), console=errors, transient=True))
    finally:  # who stops it sees what there is
        if done and json:  # first, as nobody may read what is printed
            write_atomic(json, to_json(done, threads=threads).encode())
        if done:
            _show(done, threads)
    asked = set(bench.labels) - {REFERENCE} or {REFERENCE}
    if not asked.intersection(row.label for comparison in done for row in comparison.rows):
        reasons = (reason for comparison in done for reason in comparison.skipped.values())
        raise SpecError(next(reasons, "no head was timed: none of these prompts a text tower"))


def _show(comparisons: Sequence[Comparison], threads: int) -> None:
    console = Console(width=WIDE, highlight=False)  # a terminal breaks lines, and cuts none
    console.print(tables(comparisons))
    console.print(conditions(comparisons, threads), markup=False)
