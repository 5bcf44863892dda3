"""What `ordbench run --dry-run` prints."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from statistics import median
from typing import TYPE_CHECKING

import typer

from ordbench.cli.run_lines import as_objects, cell_name, skips
from ordbench.runs.record import to_json
from ordbench.runs.titles import head_label, seed_title
from ordbench.utils.text import counted

if TYPE_CHECKING:
    from ordbench.cli.run_names import RunNames
    from ordbench.runs.record import Record
    from ordbench.sweeps.cells import Cell
    from ordbench.sweeps.dry_run import DryRun


def print_objects(found: DryRun) -> None:
    """Print a JSON object a run: its record, or what it would be."""
    for record in found.done:
        typer.echo(to_json(record))
    for cell, error in found.skipped:
        typer.echo(as_objects([cell], "skipped", str(error)), nl=False)
    typer.echo(as_objects(found.missing, "to run"), nl=False)


def print_plan(found: DryRun, names: RunNames) -> None:
    """Print what a sweep would do, and how long that may take."""
    typer.echo(names.common())
    for told in skips(found.skipped, names):
        typer.echo(told)
    for cell in found.missing:
        seeds = "; ".join(seed_title(spec) for spec in cell.specs)
        typer.echo(f"to run: {cell_name(cell, names)}, {seeds}")
    failed = sum(record.status == "failed" for record in found.done)
    runs = sum(len(cell.specs) for cell in found.missing)
    left_out = f", {counted(len(found.skipped), 'cell')} skipped" if found.skipped else ""
    typer.echo(
        f"{len(found.done) - failed} already done, {failed} failed before, {runs} to run{left_out}"
        f"{estimate(found.done, found.missing)}"
    )


def estimate(records: Iterable[Record], missing: Sequence[Cell]) -> str:
    """How long cells may take, from the records of the same head, at best with as many shots."""
    took: defaultdict[object, list[float]] = defaultdict(list)
    for record in records:
        if record.status == "done":
            seconds = record.seconds["fit"] + record.seconds["test"]
            took[record.label].append(seconds)
            took[record.label, record.spec.shots].append(seconds)
    total, unknown = 0.0, dict[str, None]()
    for cell in missing:
        label = head_label(cell.specs[0])
        if alike := took.get((label, cell.specs[0].shots)) or took.get(label):
            total += median(alike) * len(cell.specs)
        else:
            unknown[label] = None
    said = f"; about {total:.0f} s of training with one job" if total else ""
    return said + (f"; no time estimate for {', '.join(unknown)}" if unknown else "")
