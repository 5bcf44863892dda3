"""The local engine: cells in this process, or in long-lived worker processes of joblib."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from filelock import Timeout
from joblib import Parallel, delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError

from ordbench.errors import TrainingError
from ordbench.store import Store
from ordbench.sweep import Cell, Outcome, Policy, fail_cell, run_cell
from ordbench.workspace import Settings, Workspace

DEATHS = 2  # a cell whose worker died is tried once more


class Answer(NamedTuple):
    """What a worker did about a cell; no outcomes if another process was at it."""

    place: int
    outcomes: list[Outcome]


def run_cells(
    cells: Sequence[Cell],
    workspace: Workspace,
    store: Store,
    policy: Policy,
    *,
    jobs: int = 1,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[list[Outcome]]:
    """Run cells and give each as it ends; one that another process is at is left to the end.

    Args:
        cells: What to run.
        workspace: Where datasets and caches lie.
        store: Where records go.
        policy: What to do about records that are there.
        jobs: Worker processes; 1 stays in this process.
        stopped: Asked before each cell: once it says True, only cells that run come to their end.

    Raises:
        OrdbenchError: If something is missing or unusable, or nothing can be written.
    """
    todo = dict(enumerate(cells))
    deaths: Counter[int] = Counter()
    wait = False
    while todo and not stopped():
        left = len(todo)
        calls = _calls(todo, workspace, store, policy, wait=wait, stopped=stopped)
        try:
            for place, outcomes in _answers(calls, workspace, jobs):
                if outcomes:
                    del todo[place]
                    yield outcomes
                    if policy.fail_fast and any(o.record.status == "failed" for o in outcomes):
                        return
        except TerminatedWorkerError:
            # Nobody says which cell it was: one of those that ran.
            suspects = list(todo)[:jobs]
            deaths.update(suspects)
            for place in suspects:
                if deaths[place] > DEATHS:
                    yield fail_cell(todo.pop(place), workspace, store, policy, _died())
        wait = len(todo) == left


class _Call(NamedTuple):
    """One cell for a worker."""

    place: int
    cell: Cell
    settings: Settings
    root: Path
    policy: Policy
    wait: bool


def _calls(
    todo: Mapping[int, Cell],
    workspace: Workspace,
    store: Store,
    policy: Policy,
    *,
    wait: bool,
    stopped: Callable[[], bool],
) -> Iterator[_Call]:
    for place, cell in list(todo.items()):
        if stopped():
            return
        yield _Call(place, cell, workspace.settings, store.root, policy, wait)


def _answers(calls: Iterator[_Call], workspace: Workspace, jobs: int) -> Iterator[Answer]:
    if jobs == 1:
        yield from (_run(call, workspace) for call in calls)
        return
    pool = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1, pre_dispatch=jobs)
    yield from pool(delayed(_work)(call) for call in calls)


def _work(call: _Call) -> Answer:
    """What a worker process does; it keeps its workspace from cell to cell."""
    # A Ctrl-C reaches every process of the terminal; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return _run(call, _workspace(call.settings))


@cache
def _workspace(settings: Settings) -> Workspace:
    return Workspace(settings)


def _run(call: _Call, workspace: Workspace) -> Answer:
    try:
        outcomes = run_cell(call.cell, workspace, Store(call.root), call.policy, wait=call.wait)
    except Timeout:
        return Answer(call.place, [])
    return Answer(call.place, outcomes)


def _died() -> TrainingError:
    return TrainingError(
        f"its worker process died {DEATHS + 1} times, killed from outside or out of memory; "
        "take fewer --jobs"
    )
