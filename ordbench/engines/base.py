"""The engine: gives cells to workers, writes what comes back, and tries again where one dies.

Whoever trains, this process alone decides what is to be done, and writes it: workers may be on
machines that do not see the store.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, wait
from typing import NamedTuple, Protocol, TypeVar

from filelock import Timeout

from ordbench.errors import TrainingError
from ordbench.results.store import Store
from ordbench.runs.preparation import PreparedRun
from ordbench.runs.resources import Resources
from ordbench.runs.runner import RunResult, failure
from ordbench.sweeps.cells import Cell
from ordbench.sweeps.survey import Claimed, Outcome, Policy, claim, keep

PATIENCE = 50  # looks in vain before it is said who is waited for
POLL = 0.2  # seconds between two looks at `stopped`, and at cells that other processes are at
logger = logging.getLogger(__name__)
T = TypeVar("T")
Trials = Future[list[RunResult]]


class WorkerDiedError(Exception):
    """The process that trained is gone, by no fault of the head that anyone could see.

    Its text is what may have killed it and what to do, for the record of a failure.
    """


class Pool(Protocol):
    """Workers that train cells, here or elsewhere."""

    @property
    def size(self) -> int:
        """Cells that it takes at a time."""
        ...

    def submit(self, prepared: Sequence[PreparedRun]) -> Trials:
        """Begin a cell; called for `size` cells at a time at most.

        The future ends with `WorkerDiedError` if the worker died, with `CancelledError` if the
        cell was withdrawn, and with any other error of the worker's.
        """
        ...

    def withdraw(self) -> None:
        """Take back the cells that no worker has begun."""
        ...


def relay(
    inner: Future[T],
    translate: Callable[[BaseException], BaseException],
    receive: Callable[[T], list[RunResult]],
) -> Trials:
    """A future that ends when ``inner`` does, with what is received then.

    Args:
        inner: What a worker said.
        translate: Makes an error of its error.
        receive: Makes trials of its result.
    """
    outer: Trials = Future()

    def settle(ended: Future[T]) -> None:
        try:
            trials = receive(ended.result())
        except BaseException as error:
            outer.set_exception(translate(error))
        else:
            outer.set_result(trials)

    inner.add_done_callback(settle)
    return outer


def run_cells(
    cells: Sequence[Cell],
    resources: Resources,
    store: Store,
    policy: Policy,
    pool: Pool,
    *,
    stopped: Callable[[], bool] = lambda: False,
    begun: Callable[[Cell], None] = lambda cell: None,
) -> Generator[list[Outcome]]:
    """Run cells and give each as it ends; one that another process is at is left to the end.

    Args:
        cells: What to run.
        resources: Where datasets and caches lie.
        store: Where records go.
        policy: What to do about records that are there.
        pool: Who trains. A cell whose worker dies is tried once more.
        stopped: Asked before each cell: once it says True, only cells that run come to their end.
        begun: Told of each cell that a worker is given.

    Raises:
        OrdbenchError: If something is missing or unusable, or nothing can be written.
    """
    return _Loop(deque(cells), resources, store, policy, pool, stopped, begun).run()


class _Running(NamedTuple):
    """A cell that a worker has, and whether an earlier one died of it."""

    claimed: Claimed
    again: bool


class _Loop:
    """Which cells wait, and which run."""

    def __init__(
        self,
        waiting: deque[Cell],
        resources: Resources,
        store: Store,
        policy: Policy,
        pool: Pool,
        stopped: Callable[[], bool],
        begun: Callable[[Cell], None],
    ) -> None:
        self.waiting = waiting
        self.resources = resources
        self.store = store
        self.policy = policy
        self.pool = pool
        self.stopped = stopped
        self.begun = begun
        self.running: dict[Trials, _Running] = {}
        self.idle = 0  # looks in vain

    def run(self) -> Generator[list[Outcome]]:
        """Give the outcomes of each cell as it ends."""
        try:
            while self.running or (self.waiting and not self.stopped()):
                for outcomes in self._round():
                    yield outcomes
                    if self.policy.fail_fast and any(o.record.status == "failed" for o in outcomes):
                        return
        finally:
            for running in self.running.values():
                running.claimed.release()

    def _round(self) -> Iterator[list[Outcome]]:
        """Fill the pool, and wait a little for cells that end."""
        for _ in range(len(self.waiting)):
            if len(self.running) >= self.pool.size or self.stopped():
                break
            if outcomes := self._begin(self.waiting.popleft()):
                yield outcomes
        if self.stopped():
            self.pool.withdraw()
        if self.running:
            ended = wait(self.running, POLL, FIRST_COMPLETED).done
            # All are written before the first is given: it may be the last that anybody asks for.
            yield from [outcomes for future in ended if (outcomes := self._end(future))]
        elif self.waiting:
            self._say_who_is_waited_for()
            time.sleep(POLL)

    def _say_who_is_waited_for(self) -> None:
        """Once, when nothing else has been left to do for a while."""
        self.idle += 1
        if self.idle == PATIENCE:
            logger.warning(
                "waiting for other processes, which are at %s; their locks lie in %s",
                ", ".join(cell.title for cell in self.waiting),
                self.store.root / "locks",
            )

    def _begin(self, cell: Cell) -> list[Outcome]:
        """Give a cell to a worker; returns its outcomes if nothing is left to do."""
        try:
            claimed = claim(cell, self.resources, self.store, self.policy)
        except Timeout:
            self.waiting.append(cell)
            return []
        if claimed.missing:
            self._submit(claimed)
            return []
        claimed.release()
        return claimed.done

    def _submit(self, claimed: Claimed, *, again: bool = False) -> None:
        self.begun(claimed.cell)
        try:
            self.running[self.pool.submit(claimed.missing)] = _Running(claimed, again)
        except BaseException:
            claimed.release()
            raise

    def _end(self, future: Trials) -> list[Outcome]:
        """Write what a worker brought; nothing if the cell is to be tried again or is given up."""
        claimed, again = self.running.pop(future)
        error = future.exception()
        died = isinstance(error, WorkerDiedError)
        if died and not again and not self.stopped():
            self._submit(claimed, again=True)
            return []
        try:
            if isinstance(error, CancelledError) or (died and not again):
                return []  # what was stopped has no record, so the same command goes on there
            trials = self._lost(claimed, str(error)) if died else future.result()
            return keep(claimed, trials, self.store)
        finally:
            claimed.release()

    def _lost(self, claimed: Claimed, why: str) -> list[RunResult]:
        """Failures of a cell that killed its workers, or was killed with them."""
        error = TrainingError(f"its worker died twice: {why}")
        return [
            RunResult(failure(one, error, self.resources.device), trace=f"no traceback: {error}\n")
            for one in claimed.missing
        ]
