"""What a user sees while runs go by: a bar, a line for each result, or JSON for scripts."""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from ordbench.record import to_json

if TYPE_CHECKING:
    from ordbench.record import Record
    from ordbench.sweep import Outcome


def watch(outcomes: Iterable[Iterable[Outcome]], total: int, *, as_json: bool) -> None:
    """Draw from ``outcomes`` until they end, and say what each brought.

    Args:
        outcomes: Cells as they end.
        total: Number of runs.
        as_json: One JSON object a run on standard output, and nothing else.
    """
    console = Console(highlight=False, soft_wrap=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    trained = skipped = 0
    rejected: dict[str, Record] = {}
    with bar:
        task = bar.add_task("runs", total=total)
        for record, was_there in chain.from_iterable(outcomes):
            bar.advance(task)
            skipped, trained = skipped + was_there, trained + (not was_there)
            if as_json:
                print(to_json(record), flush=True)
                continue
            console.print(line(record, skipped=was_there), markup=False)
            if record.split and record.split.rejected:
                rejected[record.spec.dataset] = record
    if not as_json:
        for record in rejected.values():
            console.print(rejections(record), markup=False)
        console.print(f"{trained} trained, {skipped} done before", markup=False)


def line(record: Record, *, skipped: bool) -> str:
    """One run in one line: what it was, and its MAE by every decode."""
    spec = record.spec
    shots = "all images" if spec.shots is None else f"{spec.shots} shots"
    what = f"{record.label} on {spec.dataset}, {spec.backbone}, {shots}, seed {spec.train_seed}"
    unit = record.task.unit if record.task else ""
    maes = ", ".join(
        f"{scores['mae']:.2f} ({how})"
        for how, scores in record.metrics.items()
        if not math.isnan(scores.get("mae", math.nan))
    )
    return f"{what}: MAE {maes} {unit}" + (" [done before]" if skipped else "")


def rejections(record: Record) -> str:
    """Which files of a dataset were left out."""
    assert record.split is not None
    names = ", ".join(record.split.rejected_names)
    more = record.split.rejected - len(record.split.rejected_names)
    return f"{record.spec.dataset}: {record.split.rejected} files left out: {names}" + (
        f" and {more} more" if more else ""
    )
