"""What `ordbench run` shows: a progress bar, a line for each result, or JSON for scripts."""

from __future__ import annotations

import json
import math
import signal
from collections import defaultdict
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

from ordbench.results.layout import trace_path
from ordbench.runs.record import to_json
from ordbench.runs.titles import cell_title, dataset_label, head_label, seed_title
from ordbench.sweeps.api import Callback

if TYPE_CHECKING:
    from ordbench.dataset import SkippedFile
    from ordbench.runs.record import Record, SplitFacts
    from ordbench.runs.runner import RunResult
    from ordbench.runs.spec import RunSpec
    from ordbench.sweeps.cells import Cell
    from ordbench.sweeps.dry_run import DryRun
    from ordbench.sweeps.survey import RefusedCell

SHOWN = 10  # files left out that are named


@contextmanager
def stop_on_interrupt(say: Callable[[str], None]) -> Generator[Callable[[], bool]]:
    """The first Ctrl-C asks to stop after the running cells, the second stops at once."""
    asked = False

    def ask(number: int, frame: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        say("Finishing running jobs; press Ctrl-C again to stop now.")

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)


def _bar(what: TextColumn) -> Progress:
    """A bar on standard error, if that is a terminal; a log gets none."""
    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    return Progress(
        what, *columns, console=console, transient=True, disable=not console.is_terminal
    )


class Report(Callback):
    """Shows each result, and at the end how many there were.

    Args:
        total: Number of runs.
        as_json: One JSON object a run on standard output, and nothing else.
    """

    def __init__(self, *, total: int, as_json: bool) -> None:
        self.as_json = as_json
        self.failed: list[Record] = []
        self._total = total
        self._trained = self._done = 0
        self._skipped: list[RefusedCell] = []
        self._rejected: dict[str, tuple[SkippedFile, ...]] = {}
        self._notes: defaultdict[tuple[str, str], set[int]] = defaultdict(set)  # and their folds
        self._console = Console(highlight=False, soft_wrap=True)
        self._bar = _bar(TextColumn("{task.description}", markup=False))
        self._now = "runs"
        self._task = self._bar.add_task(self._now, total=total)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()
        if self.as_json or error[0]:
            return
        for dataset, rejected in self._rejected.items():
            self._say(rejections(dataset, rejected))
        for (dataset, note), folds in self._notes.items():
            fold = f", fold {', '.join(map(str, sorted(folds)))}" if any(folds) else ""
            self._say(f"{dataset}{fold}: {note}")
        for told in skips(self._skipped):
            self._say(told)
        failed = f", {len(self.failed)} failed" if self.failed else ""
        left_out = f", {len(self._skipped)} cells skipped" if self._skipped else ""
        self._say(f"{self._trained} trained, {self._done} already done{failed}{left_out}")

    def on_images(self, done: int, total: int) -> None:
        """See `Callback`."""
        self._bar.update(self._task, description=f"encoding images, {done} of {total}")

    def on_cell(self, cell: Cell) -> None:
        """See `Callback`."""
        self._now = cell.title
        self._show()

    def on_skip(self, skipped: RefusedCell) -> None:
        """See `Callback`."""
        self._skipped.append(skipped)
        if self.as_json:
            said = as_objects([skipped.cell], "skipped", str(skipped.error))
            print(said, end="", flush=True)
        self._bar.advance(self._task, len(skipped.cell.specs))

    def on_result(self, result: RunResult) -> None:
        """See `Callback`."""
        record = result.record
        if record.status == "failed":
            self.failed.append(record)
        elif result.done_before:
            self._done += 1
        else:
            self._trained += 1
        if record.split:
            self._remember(record.spec, record.split)
        if self.as_json:
            print(to_json(record), flush=True)
        else:
            self._say(line(record, done_before=result.done_before))
        self._bar.advance(self._task)
        self._show()

    def warn(self, message: str) -> None:
        """Print a line that is not a result."""
        self._bar.console.print(message, markup=False)

    def failures(self, results: Path, *, again: str) -> str:
        """How many runs failed, why the first did, and which option runs them again."""
        first = self.failed[0]
        trace = trace_path(results, first.run_id)
        runs = self._trained + self._done + len(self.failed)
        return (
            f"{len(self.failed)} of {runs} runs failed, the first: "
            f"{title(first.spec, first.label)}: {first.error} (where: {trace}); "
            f"{again} runs them again"
        )

    def _remember(self, spec: RunSpec, split: SplitFacts) -> None:
        """Keep what is printed once at the end: files left out and notes."""
        dataset = dataset_label(spec)
        if split.rejected:
            self._rejected[dataset] = split.rejected
        for note in split.notes:
            self._notes[dataset, note].add(spec.fold)

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False)

    def _show(self) -> None:
        failed = f", {len(self.failed)} failed" if self.failed else ""
        self._bar.update(self._task, description=f"{self._now}{failed}")


def title(spec: RunSpec, label: str) -> str:
    """What a run is, in words."""
    return f"{cell_title(spec, label)}, {seed_title(spec)}"


def line(record: Record, *, done_before: bool) -> str:
    """One run in one line: what it was, and its MAE by every decode."""
    what = title(record.spec, record.label) + (" [already done]" if done_before else "")
    if record.status == "failed":
        return f"{what}: failed: {record.error}"
    maes = ", ".join(
        f"{scores['mae']:.2f} ({how})"
        for how, scores in record.metrics.items()
        if not math.isnan(scores.get("mae", math.nan))
    )
    return f"{what}: MAE {maes} {record.task.unit if record.task else ''}"


def rejections(dataset: str, rejected: Sequence[SkippedFile]) -> str:
    """Which files of a dataset were left out, and why; the record has those that are not shown."""
    shown = "; ".join(f"{name} ({reason})" for name, reason in rejected[:SHOWN])
    more = f"; and {len(rejected) - SHOWN} more, see a record" if len(rejected) > SHOWN else ""
    return f"{dataset}: {len(rejected)} files left out: {shown}{more}"


def skips(skipped: Iterable[RefusedCell]) -> list[str]:
    """A line for each reason why cells were skipped, with the first of them."""
    titles: defaultdict[str, list[str]] = defaultdict(list)
    for cell, error in skipped:
        titles[str(error)].append(cell.title)
    return [
        f"skipped: {first}{f' and {len(more)} more cells' if more else ''}: {reason}"
        for reason, (first, *more) in titles.items()
    ]


def as_objects(cells: Iterable[Cell], status: str, error: str | None = None) -> str:
    """A line with a JSON object for each run that has no record."""
    specs = [spec.model_dump(mode="json") for cell in cells for spec in cell.specs]
    objects = [{"status": status, "spec": spec, "error": error} for spec in specs]
    return "".join(f"{json.dumps(one)}\n" for one in objects)


def print_plan(found: DryRun, *, as_json: bool) -> None:
    """Print what a sweep would do, and how long that may take.

    Args:
        found: What there is and what is missing.
        as_json: One JSON object a run instead: its record, or what it would be.
    """
    if as_json:
        for record in found.done:
            print(to_json(record))
        for cell, error in found.skipped:
            print(as_objects([cell], "skipped", str(error)), end="")
        print(as_objects(found.missing, "to run"), end="")
        return
    console = Console(highlight=False, soft_wrap=True)
    for told in skips(found.skipped):
        console.print(told, markup=False)
    for cell in found.missing:
        seeds = "; ".join(seed_title(spec) for spec in cell.specs)
        console.print(f"to run: {cell.title}, {seeds}", markup=False)
    failed = sum(record.status == "failed" for record in found.done)
    runs = sum(len(cell.specs) for cell in found.missing)
    left_out = f", {len(found.skipped)} cells skipped" if found.skipped else ""
    console.print(
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
