"""What `ordbench run` shows while it runs: a bar, and a line for each result."""

from __future__ import annotations

import signal
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column
from rich.text import Text

from ordbench.cli.run_lines import as_objects, cell_name, details, line, rejections, skips
from ordbench.cli.run_names import RunNames
from ordbench.results.layout import trace_path
from ordbench.runs.record import to_json
from ordbench.runs.titles import dataset_label, run_title
from ordbench.sweeps.callback import Callback
from ordbench.utils.text import counted

if TYPE_CHECKING:
    from ordbench.dataset import SkippedFile
    from ordbench.runs.record import Record, SplitFacts
    from ordbench.runs.runner import RunResult
    from ordbench.runs.spec import RunSpec
    from ordbench.sweeps.cells import Cell
    from ordbench.sweeps.survey import RefusedCell

Output = Literal["quiet", "lines", "verbose", "json"]
"""What is printed of a sweep: problems and the counts; a line for each run; two lines; JSON."""


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


class _TimeLeft(ProgressColumn):
    """Counts down to the time that the task names as its end, in seconds of `time.monotonic`."""

    def render(self, task: Task) -> Text:
        end: float | None = task.fields["end"]
        if end is None:
            return Text("ETA -:--:--", style="progress.remaining")
        left = timedelta(seconds=max(0, round(end - time.monotonic())))
        return Text(f"ETA {left}", style="progress.remaining")


def _bar(*, hidden: bool) -> Progress:
    """A bar on standard error, if that is a terminal; a log gets none."""
    console = Console(stderr=True)
    what = TextColumn(
        "{task.description}",
        markup=False,
        table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis"),
    )
    return Progress(
        what,
        BarColumn(bar_width=16),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        _TimeLeft(),
        console=console,
        transient=True,
        expand=True,
        disable=hidden or not console.is_terminal,
        redirect_stdout=False,  # else all that is printed goes to standard error
    )


class Report(Callback):
    """Shows each result, and at the end how many there were.

    Args:
        specs: The runs of the sweep.
        output: What to print.
    """

    def __init__(self, specs: Sequence[RunSpec], output: Output = "lines") -> None:
        self.failed: list[Record] = []
        self._names = RunNames(specs)
        self._output = output
        self._left = len(specs)
        self._trained = self._done = 0
        self._first_cell: float | None = None  # when it started, by `time.monotonic`
        self._skipped: list[RefusedCell] = []
        self._rejected: dict[str, tuple[SkippedFile, ...]] = {}
        self._notes: defaultdict[tuple[str, str], set[int]] = defaultdict(set)  # and their folds
        self._bar = _bar(hidden=output == "quiet")
        self._now = "reading data"
        self._task = self._bar.add_task(self._now, total=self._left, end=None)

    def __enter__(self) -> Self:
        if self._output in {"lines", "verbose"}:
            self._say(self._names.common())
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()
        if self._output == "json" or error[0]:
            return
        for dataset, rejected in self._rejected.items():
            self._say(rejections(dataset, rejected))
        if self._output != "quiet":
            for (dataset, note), folds in self._notes.items():
                fold = f", fold {', '.join(map(str, sorted(folds)))}" if any(folds) else ""
                self._say(f"{dataset}{fold}: {note}")
        for told in skips(self._skipped, self._names):
            self._say(told)
        failed = f", {len(self.failed)} failed" if self.failed else ""
        cells = counted(len(self._skipped), "cell")
        left_out = f", {cells} skipped" if self._skipped else ""
        self._say(f"{self._trained} trained, {self._done} already done{failed}{left_out}")

    def on_images(self, done: int, total: int) -> None:
        """See `Callback`."""
        self._bar.update(self._task, description=f"encoding images, {done} of {total}")

    def on_cell(self, cell: Cell) -> None:
        """See `Callback`."""
        self._first_cell = self._first_cell or time.monotonic()
        self._now = cell_name(cell, self._names)
        self._show()

    def on_skip(self, skipped: RefusedCell) -> None:
        """See `Callback`."""
        self._skipped.append(skipped)
        if self._output == "json":
            self._say(as_objects([skipped.cell], "skipped", str(skipped.error)).rstrip("\n"))
        self._advance(len(skipped.cell.specs))

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
        if self._output == "json":
            self._say(to_json(record))
        elif self._output != "quiet" or record.status == "failed":
            self._say(line(record, self._names, done_before=result.done_before))
        if self._output == "verbose":
            self._say(details(record))
        self._advance(1)
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
            f"{run_title(first.spec, first.label)}: {first.error} (traceback: {trace}); "
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
        """Print a line; where the bar is on the same screen, above it."""
        if self._bar.live.is_started and sys.stdout.isatty():
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            print(text, flush=True)

    def _advance(self, runs: int) -> None:
        """So many runs are out of the way; the others take as long as those that were trained."""
        self._left -= runs
        fresh = self._trained + len(self.failed)
        if fresh and self._first_cell is not None:
            now = time.monotonic()
            end = now + (now - self._first_cell) / fresh * self._left
            self._bar.update(self._task, end=end)
        self._bar.advance(self._task, runs)

    def _show(self) -> None:
        failed = f", {len(self.failed)} failed" if self.failed else ""
        self._bar.update(self._task, description=f"{self._now}{failed}")
