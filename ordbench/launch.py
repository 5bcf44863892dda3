"""`ordbench run` from what was typed to the last record: survey, dry run, engine, stop."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ordbench.engine import run_cells
from ordbench.errors import SpecError, TrainingError
from ordbench.plan import Grid
from ordbench.progress import Report, dry
from ordbench.protocol import read_manifest
from ordbench.store import Store
from ordbench.sweep import Policy, cells, survey
from ordbench.workspace import Settings, Workspace


def launch(
    values: Mapping[str, Sequence[str]],
    settings: Settings,
    results: Path,
    policy: Policy,
    *,
    jobs: int = 1,
    limit: int | None = None,
    dry_run: bool = False,
    as_json: bool = False,
) -> None:
    """Run a grid and report each record as it comes.

    Args:
        values: The grid, as `ordbench.plan.typed` gives it.
        settings: Where datasets and caches lie.
        results: Folder of the records.
        policy: What to do about records that are there, and about failures.
        jobs: Worker processes.
        limit: Most runs to train.
        dry_run: Say what would be run, and run nothing.
        as_json: One JSON object a run on standard output, and nothing else.

    Raises:
        OrdbenchError: If something is missing or unusable.
        TrainingError: If runs failed; their records and traces are kept.
    """
    split = values.get("split")
    if split:
        path = Path(split[0])
        settings = settings.with_manifest(path)
        values = {**values, "split": [read_manifest(path).hash]}
    workspace, store = Workspace(settings), Store(results)
    planned = cells(Grid.of(values).specs())
    found = survey(planned, workspace, store, policy)
    if policy.overwrite == "never" and found.done:
        raise SpecError(
            f"{len(found.done)} of {found.total} runs stand in {results} and --overwrite is never; "
            "take --overwrite only-missing, or another --results"
        )
    todo = found.first(limit)
    if dry_run:
        dry(found, todo)
        return
    report = Report(total=len(found.done) + sum(len(cell.specs) for cell in todo), as_json=as_json)
    with report, _stop_on_interrupt(report.warn) as stopped:
        report.add(found.done)
        for outcomes in run_cells(todo, workspace, store, policy, jobs=jobs, stopped=stopped):
            report.add(outcomes)
    if report.failed:
        raise TrainingError(report.failures(results))
    if stopped():
        raise KeyboardInterrupt


@contextmanager
def _stop_on_interrupt(say: Callable[[str], None]) -> Generator[Callable[[], bool]]:
    """The first Ctrl-C asks to stop after the cells that run, the second one stops at once."""
    asked = False

    def ask(number: int, frame: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        say("stopping after the cells that run now; Ctrl-C again stops at once")

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)
