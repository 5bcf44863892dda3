"""What a user sees while runs go by: a bar, a line for each result, or JSON for scripts."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Self

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
    from ordbench.spec import RunSpec
    from ordbench.sweep import Cell, Outcome, Survey


@contextmanager
def encoding_bar() -> Generator[Callable[[int, int], None]]:
    """A bar on standard error that is told how many images of how many are encoded."""
    bar = Progress(
        TextColumn("encoding images"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    task = bar.add_task("encoding", total=None)

    def told(done: int, total: int) -> None:
        bar.start()
        bar.update(task, completed=done, total=total)
        if done == total:
            bar.stop()

    try:
        yield told
    finally:
        bar.stop()


class Report:
    """Says what each run brought, and at the end how many there were.

    Args:
        total: Number of runs.
        as_json: One JSON object a run on standard output, and nothing else.
    """

    def __init__(self, *, total: int, as_json: bool) -> None:
        self.as_json = as_json
        self.failed: list[Record] = []
        self._trained = self._skipped = 0
        self._rejected: dict[str, Record] = {}
        self._console = Console(highlight=False, soft_wrap=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task("runs", total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()
        if self.as_json or error[0]:
            return
        for record in self._rejected.values():
            self._say(rejections(record))
        failed = f", {len(self.failed)} failed" if self.failed else ""
        self._say(f"{self._trained} trained, {self._skipped} done before{failed}")

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Count runs that are done, and print a line for each."""
        for record, skipped in outcomes:
            self._skipped, self._trained = self._skipped + skipped, self._trained + (not skipped)
            if record.status == "failed":
                self.failed.append(record)
            if record.split and record.split.rejected:
                self._rejected[record.spec.dataset] = record
            if self.as_json:
                print(to_json(record), flush=True)
            else:
                self._say(line(record, skipped=skipped))
            failed = f", {len(self.failed)} failed" if self.failed else ""
            self._bar.update(self._task, advance=1, description=f"{record.label}{failed}")

    def warn(self, message: str) -> None:
        """Say something that is no result."""
        self._bar.console.print(message, markup=False)

    def failures(self, results: Path) -> str:
        """How many runs failed, why the first did, and what to do."""
        first = self.failed[0]
        trace = results / "runs" / first.run_id[:2] / f"{first.run_id}.trace"
        return (
            f"{len(self.failed)} of {self._trained + self._skipped} runs failed, the first: "
            f"{title(first.spec, first.label)}: {first.error} (where: {trace}); "
            "--retry-failed runs them again"
        )

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False)


def title(spec: RunSpec, label: str) -> str:
    """What a run is, in words."""
    shots = "all images" if spec.shots is None else f"{spec.shots} shots"
    return f"{label} on {spec.dataset}, {spec.backbone}, {shots}, seed {spec.train_seed}"


def line(record: Record, *, skipped: bool) -> str:
    """One run in one line: what it was, and its MAE by every decode."""
    what = title(record.spec, record.label) + (" [done before]" if skipped else "")
    if record.status == "failed":
        return f"{what}: failed: {record.error}"
    maes = ", ".join(
        f"{scores['mae']:.2f} ({how})"
        for how, scores in record.metrics.items()
        if not math.isnan(scores.get("mae", math.nan))
    )
    return f"{what}: MAE {maes} {record.task.unit if record.task else ''}"


def rejections(record: Record) -> str:
    """Which files of a dataset were left out."""
    if record.split is None:
        return ""
    names = ", ".join(record.split.rejected_names)
    more = record.split.rejected - len(record.split.rejected_names)
    return f"{record.spec.dataset}: {record.split.rejected} files left out: {names}" + (
        f" and {more} more" if more else ""
    )


def dry(found: Survey, todo: Sequence[Cell]) -> None:
    """Print what a sweep would do, and how long that may take."""
    console = Console(highlight=False, soft_wrap=True)
    for cell in todo:
        seeds = ", ".join(str(spec.train_seed) for spec in cell.specs)
        console.print(f"to do: {cell.title}, seeds {seeds}", markup=False)
    runs = sum(len(cell.specs) for cell in todo)
    console.print(
        f"{found.total} runs, {len(found.done)} done, {runs} to do: {estimate(found, runs)}"
    )


def estimate(found: Survey, runs: int) -> str:
    """How long ``runs`` runs may take, from the records of runs like them."""
    took = [sum(r.seconds.get(part, 0) for part in ("fit", "test")) for r, _ in found.done]
    if not took or not runs:
        return "no run like these is done yet, so nobody knows how long" if runs else "nothing"
    return f"about {median(took) * runs:.0f} s of training with one job"
