"""The local engine: cells in this process, or in long-lived worker processes of joblib's loky."""

from __future__ import annotations

import pickle
from collections.abc import Generator, Sequence
from concurrent.futures import BrokenExecutor, Future
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from joblib.externals.loky.process_executor import TerminatedWorkerError

from ordbench.engines.base import Pool, Trials, WorkerDiedError, relay
from ordbench.runs.preparation import PreparedRun, prepare
from ordbench.runs.resources import Locations, Resources
from ordbench.runs.runner import RunResult, run_cell
from ordbench.runs.spec import RunSpec
from ordbench.utils.files import write_atomic
from ordbench.utils.processes import executor, no_interrupts


@contextmanager
def local_pool(resources: Resources, jobs: int) -> Generator[Pool]:
    """Workers on this machine, until the context ends.

    Args:
        resources: Used by a single job; workers open their own, with its settings.
        jobs: Worker processes; 1 stays in this process.
    """
    if jobs == 1:
        yield _Here(resources)
        return
    with TemporaryDirectory(prefix="ordbench-", ignore_cleanup_errors=True) as folder:
        workers = [_Worker(resources.settings, Path(folder, str(n))) for n in range(jobs)]
        try:
            yield _Workers(workers)
        finally:
            for worker in workers:
                worker.close()


class _Here:
    """This process: a cell is done once it is submitted."""

    size = 1

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def submit(self, prepared: Sequence[PreparedRun]) -> Trials:
        """Train it here and now."""
        future: Trials = Future()
        future.set_result(run_cell(prepared, self._resources))
        return future

    def withdraw(self) -> None:
        """Nothing waits here for a worker."""


class _Workers:
    """Processes that take a cell each."""

    def __init__(self, workers: Sequence[_Worker]) -> None:
        self.size = len(workers)
        self._workers = workers

    def submit(self, prepared: Sequence[PreparedRun]) -> Trials:
        """Give it to a worker that is free; a pool never has more than its size to do."""
        return next(worker for worker in self._workers if worker.free).submit(prepared)

    def withdraw(self) -> None:
        """Nothing waits here for a worker."""


class _Worker:
    """A process that takes one cell at a time, and after its death another one.

    It has an executor of its own, since loky ends all workers of an executor when one of them
    dies, and does not say whose work it was. Trials are handed over in a file: a process that is
    killed while it writes megabytes into loky's pipe leaves the other end waiting for the rest.

    Args:
        settings: Of the workspace that it opens.
        file: Where it leaves its trials.
    """

    def __init__(self, settings: Locations, file: Path) -> None:
        self._settings = settings
        self._file = file
        self._executor = executor(1)
        self._future: Trials | None = None

    @property
    def free(self) -> bool:
        """Whether it has nothing to do."""
        return self._future is None or self._future.done()

    def submit(self, prepared: Sequence[PreparedRun]) -> Trials:
        """Send it the runs' descriptions; it prepares them anew."""
        call = (_work, self._settings, [one.spec for one in prepared], self._file)
        with no_interrupts():  # the process may start only now
            try:
                inner: Future[None] = self._executor.submit(*call)
            except BrokenExecutor:
                self._executor = executor(1)
                inner = self._executor.submit(*call)
        self._future = relay(inner, _translated, self._received)
        return self._future

    def _received(self, done: None) -> list[RunResult]:
        trials = cast("list[RunResult]", pickle.loads(self._file.read_bytes()))
        self._file.unlink()
        return trials

    def close(self) -> None:
        """End the process, at once if somebody gave up on what it does."""
        self._executor.shutdown(kill_workers=not self.free)


def _work(settings: Locations, specs: list[RunSpec], file: Path) -> None:
    """What a worker process does; it keeps its workspace from cell to cell."""
    resources = _resources(settings)
    trials = run_cell([prepare(spec, resources) for spec in specs], resources)
    write_atomic(file, pickle.dumps(trials))


@cache
def _resources(settings: Locations) -> Resources:
    return Resources(settings)


def _translated(error: BaseException) -> BaseException:
    if isinstance(error, TerminatedWorkerError):
        return WorkerDiedError("killed from outside, or out of memory; take fewer --jobs")
    return error
