"""Gives prepared cells to an engine, writes their results, and retries where a worker dies.

This process alone decides what to run, and writes it: workers may not see the store.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from filelock import FileLock, Timeout

from ordbench.engines.base import Engine, Results, WorkerDiedError
from ordbench.errors import TrainingError
from ordbench.results.store import Store
from ordbench.runs.preparation import PreparedRun
from ordbench.runs.record import Record
from ordbench.runs.runner import RunResult, failure
from ordbench.sweeps.cells import Cell
from ordbench.sweeps.survey import PreparedCell
from ordbench.utils.files import cannot_write

PATIENCE = 50  # rounds without work before a line says which process is waited for
POLL = 0.2  # seconds between two looks at `stopped`, and at cells of other processes
Overwrite = Literal["only-missing", "always", "never"]
logger = logging.getLogger(__name__)


class Policy(NamedTuple):
    """What a sweep does about existing records, failures and cells that cannot run.

    Attributes:
        overwrite: ``only-missing`` runs what has no record, ``always`` runs all, ``never`` stops
            before the first run if any record exists.
        retry_failed: Whether failures count as missing.
        fail_fast: Whether the first failure ends the sweep.
        strict: Whether a cell that cannot run ends the sweep before the first run.
        limit: How many runs to train at most.
    """

    overwrite: Overwrite = "only-missing"
    retry_failed: bool = False
    fail_fast: bool = False
    strict: bool = False
    limit: int | None = None

    def wants(self, record: Record) -> bool:
        """Whether a run that has a record is to be run again."""
        return self.overwrite == "always" or (self.retry_failed and record.status == "failed")


@dataclass
class _Claim:
    """Runs of a cell that this process alone works on, until the lock is released."""

    cell: Cell
    missing: list[PreparedRun]
    lock: FileLock
    retried: bool = False


@dataclass
class Scheduler:
    """Runs cells on an engine.

    Attributes:
        store: Where records go.
        engine: Trains. A cell whose worker dies is retried once.
        policy: What to do about existing records and failures.
        stopped: Asked before each cell; once it is true, only running cells are finished.
        on_cell: Called with each cell that is given to the engine.
        device: What the record of a cell that lost its workers says.
    """

    store: Store
    engine: Engine
    policy: Policy
    stopped: Callable[[], bool] = lambda: False
    on_cell: Callable[[Cell], None] = lambda cell: None
    device: str = "cpu"
    _busy: deque[PreparedCell] = field(default_factory=deque[PreparedCell], init=False)
    _running: dict[Results, _Claim] = field(default_factory=dict[Results, _Claim], init=False)
    _drained: bool = field(default=False, init=False)
    _cancelled: bool = field(default=False, init=False)
    _trained: int = field(default=0, init=False)
    _idle: int = field(default=0, init=False)

    def run(self, cells: Iterable[PreparedCell]) -> Generator[RunResult]:
        """Give the result of each run; cells that other processes work on come last.

        Raises:
            OrdbenchError: If something is missing or unusable, or nothing can be written.
        """
        source = iter(cells)
        try:
            while True:
                for result in self._round(source):
                    yield result
                    if self.policy.fail_fast and result.record.error and not result.done_before:
                        return
                finished = self.stopped() or (self._drained and not self._busy)
                if finished and not self._running:
                    return
        finally:
            for claim in self._running.values():
                claim.lock.release()

    def _round(self, source: Iterator[PreparedCell]) -> Iterator[RunResult]:
        """Fill the engine, and wait a little for cells that finish."""
        tries = len(self._busy)
        while len(self._running) < self.engine.size and not self.stopped():
            cell = None if self._drained or self._left() == 0 else next(source, None)
            if cell is None:
                self._drained = True
                if not tries:
                    break
                tries -= 1
                cell = self._busy.popleft()
            yield from self._begin(cell)
        if self.stopped() and not self._cancelled:
            self._cancelled = True
            for future in list(self._running):
                future.cancel()
        if self._running:
            ended = wait(self._running, POLL, FIRST_COMPLETED).done
            # All are written before the first is given: the caller may stop after any.
            yield from [result for future in ended for result in self._end(future)]
        elif self._busy:
            self._say_waiting()
            time.sleep(POLL)

    def _left(self) -> int | None:
        """How many runs may still be trained; None for any number."""
        limit = self.policy.limit
        return None if limit is None else max(0, limit - self._trained)

    def _say_waiting(self) -> None:
        """Log once which cells other processes work on, if nothing else is left for a while."""
        self._idle += 1
        if self._idle == PATIENCE:
            logger.warning(
                "waiting for another process to finish %s (locks in %s)",
                ", ".join(waiting.cell.title for waiting in self._busy),
                self.store.root / "locks",
            )

    def _begin(self, prepared: PreparedCell) -> list[RunResult]:
        """Give a cell to the engine; returns the results of its runs that exist already."""
        done, missing = self._look_up(prepared.runs)
        if not missing:
            return done
        lock = lock_of(missing[0].identity.cell, self.store)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            self._busy.append(prepared)
            return []
        except OSError as error:
            raise cannot_write(Path(lock.lock_file), error) from None
        done, missing = self._look_up(prepared.runs)  # another process may have finished it
        missing = missing[: self._left()]
        if not missing:
            lock.release()
            return done
        self._trained += len(missing)
        self._submit(_Claim(prepared.cell, missing, lock))
        return done

    def _look_up(self, runs: Sequence[PreparedRun]) -> tuple[list[RunResult], list[PreparedRun]]:
        """Results of the runs that have records, and the runs to be trained."""
        done: list[RunResult] = []
        missing: list[PreparedRun] = []
        for run in runs:
            record = self.store.find(run.identity.run_id)
            if record is None or self.policy.wants(record):
                missing.append(run)
            else:
                done.append(RunResult(record, done_before=True))
        return done, missing

    def _submit(self, claim: _Claim) -> None:
        self.on_cell(claim.cell)
        try:
            self._running[self.engine.submit(claim.missing)] = claim
        except BaseException:
            claim.lock.release()
            raise

    def _end(self, future: Results) -> list[RunResult]:
        """Write a cell's results; returns none if it is retried or was cancelled."""
        claim = self._running.pop(future)
        error = future.exception()
        died = isinstance(error, WorkerDiedError)
        if died and not claim.retried and not self.stopped():
            claim.retried = True
            self._submit(claim)
            return []
        try:
            if isinstance(error, CancelledError) or (died and not claim.retried):
                return []  # without a record, so that the same command resumes there
            results = self._failures(claim, str(error)) if died else future.result()
            return [self._write(result) for result in results]
        finally:
            claim.lock.release()

    def _write(self, result: RunResult) -> RunResult:
        record = self.store.write(
            result.record, result.predictions, result.head, trace=result.trace
        )
        return result._replace(record=record)

    def _failures(self, claim: _Claim, why: str) -> list[RunResult]:
        """Failures of a cell whose workers died."""
        error = TrainingError(f"worker process crashed twice: {why}")
        trace = f"no traceback: {error}\n"
        return [RunResult(failure(run, error, self.device), trace=trace) for run in claim.missing]


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
