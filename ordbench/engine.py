"""The local engine: cells in this process, or in long-lived worker processes of joblib."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
    cells: Sequence[Cell], workspace: Workspace, store: Store, policy: Policy, *, jobs: int = 1
) -> Iterator[list[Outcome]]:
    """Run cells and give each as it ends; one that another process is at is left to the end.

    Args:
        cells: What to run.
        workspace: Where datasets and caches lie.
        store: Where records go.
        policy: What to do about records that are there.
        jobs: Worker processes; 1 stays in this process.

    Raises:
        OrdbenchError: If something is missing or unusable, or nothing can be written.
    """
    todo = dict(enumerate(cells))
    deaths: Counter[int] = Counter()
    wait = False
    while todo:
        left = len(todo)
        try:
            for place, outcomes in _answers(todo, workspace, store, policy, jobs=jobs, wait=wait):
                if outcomes:
                    del todo[place]
                    yield outcomes
        except TerminatedWorkerError:
            # Nobody says which cell it was: one of the first that are not done.
            suspects = list(todo)[: 2 * jobs]
            deaths.update(suspects)
            for place in suspects:
                if deaths[place] > DEATHS:
                    yield fail_cell(todo.pop(place), workspace, store, policy, _died())
        wait = len(todo) == left


def _answers(
    todo: Mapping[int, Cell],
    workspace: Workspace,
    store: Store,
    policy: Policy,
    *,
    jobs: int,
    wait: bool,
) -> Iterator[Answer]:
    if jobs == 1:
        for place, cell in list(todo.items()):
            yield Answer(place, _try(cell, workspace, store, policy, wait=wait))
        return
    calls = [
        delayed(_work)(place, cell, workspace.settings, store.root, policy, wait)
        for place, cell in todo.items()
    ]
    yield from Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)(calls)


def _work(
    place: int, cell: Cell, settings: Settings, root: Path, policy: Policy, wait: bool
) -> Answer:
    """What a worker process does; it keeps its workspace from cell to cell."""
    return Answer(place, _try(cell, _workspace(settings), Store(root), policy, wait=wait))


@cache
def _workspace(settings: Settings) -> Workspace:
    return Workspace(settings)


def _try(
    cell: Cell, workspace: Workspace, store: Store, policy: Policy, *, wait: bool
) -> list[Outcome]:
    try:
        return run_cell(cell, workspace, store, policy, wait=wait)
    except Timeout:
        return []


def _died() -> TrainingError:
    return TrainingError(
        f"its worker process died {DEATHS + 1} times, killed from outside or out of memory; "
        "take fewer --jobs"
    )
