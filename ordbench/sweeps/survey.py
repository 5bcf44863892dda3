"""Which runs of a sweep are missing, who is at them, and what is kept of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from filelock import FileLock, Timeout

from ordbench.results.store import Store
from ordbench.runs.preparation import PreparedRun, prepare
from ordbench.runs.record import Record
from ordbench.runs.resources import Resources
from ordbench.runs.runner import RunResult
from ordbench.sweeps.cells import Cell
from ordbench.utils.files import cannot_write

Overwrite = Literal["only-missing", "always", "never"]


class Outcome(NamedTuple):
    """A record, and whether it stood in the store before."""

    record: Record
    skipped: bool


class Policy(NamedTuple):
    """What is done about records that are there already.

    Attributes:
        overwrite: ``only-missing`` runs what has no record, ``always`` runs all, ``never`` refuses
            to begin where one is there.
        retry_failed: Whether failures count as missing.
        fail_fast: Whether the first failure ends the sweep.
    """

    overwrite: Overwrite = "only-missing"
    retry_failed: bool = False
    fail_fast: bool = False

    def wants(self, record: Record) -> bool:
        """Whether a run that has a record is to be done again."""
        return self.overwrite == "always" or (self.retry_failed and record.status == "failed")


class Survey(NamedTuple):
    """What is there of a sweep, and what is missing."""

    done: list[Outcome]
    missing: list[Cell]

    @property
    def total(self) -> int:
        """Number of runs."""
        return len(self.done) + sum(len(cell.specs) for cell in self.missing)

    def first(self, limit: int | None) -> list[Cell]:
        """The missing cells, cut after ``limit`` runs."""
        left = self.total if limit is None else limit
        kept: list[Cell] = []
        for cell in self.missing:
            if left > 0:
                kept.append(Cell(cell.key, cell.specs[:left]))
                left -= len(cell.specs)
        return kept


def survey(planned: Sequence[Cell], resources: Resources, store: Store, policy: Policy) -> Survey:
    """Look up which runs of a sweep have their records; one that was typed twice counts once.

    Raises:
        OrdbenchError: If something that a run needs is missing or unusable.
    """
    found = Survey([], [])
    known: set[str] = set()
    for cell in planned:
        runs = {one.identity.run_id: one for one in _prepared(cell, resources)}
        fresh = [one for run_id, one in runs.items() if run_id not in known]
        known.update(runs)
        done, missing = _look_up(fresh, store, policy)
        found.done.extend(done)
        if missing:
            found.missing.append(Cell(cell.key, tuple(one.spec for one in missing)))
    return found


class Claimed(NamedTuple):
    """A cell that no other process is at, until it is released.

    Attributes:
        cell: The cell.
        done: Its runs that need not be done.
        missing: Its other runs.
        lock: Dies with the process; none where nothing is missing.
    """

    cell: Cell
    done: list[Outcome]
    missing: list[PreparedRun]
    lock: FileLock | None

    def release(self) -> None:
        """Let other processes have it."""
        if self.lock:
            self.lock.release()


def claim(cell: Cell, resources: Resources, store: Store, policy: Policy) -> Claimed:
    """Take a cell for this process alone, and look up what is missing of it.

    Args:
        cell: What to run.
        resources: Where its datasets and features are.
        store: Where its records are.
        policy: What to do about records that are there.

    Raises:
        Timeout: If another process is at it.
        OrdbenchError: If something is missing or unusable, or the store cannot be written.
    """
    prepared = _prepared(cell, resources)
    done, missing = _look_up(prepared, store, policy)
    if not missing:
        return Claimed(cell, done, missing, None)
    lock = lock_of(missing[0].identity.cell, store)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise
    except OSError as error:
        raise cannot_write(Path(lock.lock_file), error) from None
    # Who was at it before may have done it.
    return Claimed(cell, *_look_up(prepared, store, policy), lock)


def lock_of(cell: str, store: Store) -> FileLock:
    """The lock that only one process can hold for a cell, however its runs were typed.

    Args:
        cell: See `Identity`.
        store: Where its records go.

    Raises:
        StoreError: If the store cannot be written.
    """
    folder = store.root / "locks"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from None
    return FileLock(folder / f"{cell}.lock")


def keep(claimed: Claimed, trials: Sequence[RunResult], store: Store) -> list[Outcome]:
    """Write what came of a cell, whoever trained it; returns all its runs.

    Raises:
        StoreError: If it cannot be written.
    """
    fresh = [
        Outcome(store.write(trial.record, trial.predictions, trace=trial.trace), skipped=False)
        for trial in trials
    ]
    return claimed.done + fresh


def _prepared(cell: Cell, resources: Resources) -> list[PreparedRun]:
    return [prepare(spec, resources) for spec in cell.specs]


def _look_up(
    prepared: Sequence[PreparedRun], store: Store, policy: Policy
) -> tuple[list[Outcome], list[PreparedRun]]:
    """What is there of some runs, and what is to be done."""
    done: list[Outcome] = []
    missing: list[PreparedRun] = []
    for one in prepared:
        record = store.find(one.identity.run_id)
        if record is None or policy.wants(record):
            missing.append(one)
        else:
            done.append(Outcome(record, skipped=True))
    return done, missing
