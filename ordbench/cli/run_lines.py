"""Results of runs as lines of text or of JSON."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ordbench.runs.titles import head_label
from ordbench.utils.text import counted

if TYPE_CHECKING:
    from ordbench.cli.run_names import RunNames
    from ordbench.dataset import SkippedFile
    from ordbench.runs.record import Record
    from ordbench.sweeps.cells import Cell
    from ordbench.sweeps.survey import RefusedCell

SHOWN = 10  # files left out that are named


def line(record: Record, names: RunNames, *, done_before: bool) -> str:
    """One run in one line: what it was, and its MAE by the median, or of its point estimate."""
    what = names.run(record.spec, record.label) + (" [already done]" if done_before else "")
    if record.status == "failed":
        return f"{what}: failed: {record.error}"
    how = "median" if "median" in record.metrics else next(iter(record.metrics), "")
    mae = record.metrics.get(how, {}).get("mae", math.nan)
    return f"{what}: MAE {mae:.2f} {record.task.unit if record.task else ''} ({how})"


def details(record: Record) -> str:
    """How the training of a run went, in one line."""
    training, seconds = record.training, record.seconds
    if training is None:
        return f"    run {record.run_id}"
    steps = f"step {training.best_step} of {training.steps}" if training.steps else "no steps"
    took = seconds.get("fit", 0) + seconds.get("test", 0)
    return f"    {steps}, val MAE {training.val_mae:.2f}, {took:.1f} s, run {record.run_id}"


def rejections(dataset: str, rejected: Sequence[SkippedFile]) -> str:
    """Which files of a dataset were left out, and why; the record has those that are not shown."""
    shown = "; ".join(f"{name} ({reason})" for name, reason in rejected[:SHOWN])
    more = f"; and {len(rejected) - SHOWN} more, see a record" if len(rejected) > SHOWN else ""
    return f"{dataset}: {counted(len(rejected), 'file')} left out: {shown}{more}"


def skips(skipped: Iterable[RefusedCell], names: RunNames) -> list[str]:
    """A line for each reason why cells were skipped, with the first of them."""
    cells: defaultdict[str, list[Cell]] = defaultdict(list)
    for cell, error in skipped:
        cells[str(error)].append(cell)
    lines: list[str] = []
    for reason, (first, *others) in cells.items():
        more = f" and {counted(len(others), 'more cell')}" if others else ""
        lines.append(f"skipped: {cell_name(first, names)}{more}: {reason}")
    return lines


def cell_name(cell: Cell, names: RunNames) -> str:
    """A cell by what is not the same for all runs of its sweep."""
    return names.cell(cell.specs[0], head_label(cell.specs[0]))


def as_objects(cells: Iterable[Cell], status: str, error: str | None = None) -> str:
    """A line with a JSON object for each run that has no record."""
    specs = [spec.model_dump(mode="json") for cell in cells for spec in cell.specs]
    objects = [{"status": status, "spec": spec, "error": error} for spec in specs]
    return "".join(f"{json.dumps(one)}\n" for one in objects)
