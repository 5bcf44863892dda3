"""The local engine: cells in this process, or in worker processes of joblib's loky."""

from __future__ import annotations

import pickle
from collections.abc import Generator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from functools import lru_cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple, cast
from weakref import finalize

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from ordbench.engines.base import Engine, Results, WorkerDiedError, settle
from ordbench.runs.identity import Identity
from ordbench.runs.preparation import PreparedRun
from ordbench.runs.resources import EncodedDataset, Locations, Resources
from ordbench.runs.runner import RunResult, run_cell
from ordbench.runs.spec import RunSpec
from ordbench.splits.split import Split
from ordbench.utils.files import write_atomic
from ordbench.utils.processes import executor, no_interrupts

if TYPE_CHECKING:
    from concurrent.futures import Future


@contextmanager
def local_engine(resources: Resources, jobs: int | None = None) -> Generator[Engine]:
    """Train on this machine.

    Args:
        resources: Used by a single job; workers open text towers by the same settings.
        jobs: Worker processes; 1, the default, stays in this process.
    """
    if (jobs or 1) == 1:
        yield _Here(resources)
        return
    # Nothing but this process and its workers writes there, so its pickles can be trusted.
    with TemporaryDirectory(prefix="ordbench-", ignore_cleanup_errors=True) as folder:
        engine = _Workers(resources.settings, Path(folder), jobs or 1)
        try:
            yield engine
        finally:
            engine.close()


class _Here:
    """This process: a cell is finished when `submit` returns."""

    size = 1

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def submit(self, runs: Sequence[PreparedRun]) -> Results:
        future = Results()
        future.set_result(run_cell(runs, self._resources))
        return future


class _Run(NamedTuple):
    """A prepared run without its dataset, which lies in a file."""

    spec: RunSpec
    split: Split
    identity: Identity


class _Workers:
    """Processes that take one cell each."""

    def __init__(self, settings: Locations, folder: Path, jobs: int) -> None:
        self.size = jobs
        self._workers = [_Worker(settings, folder / f"{number}.results") for number in range(jobs)]
        self._folder = folder
        self._files: dict[int, Path] = {}
        self._numbers = count()

    def submit(self, runs: Sequence[PreparedRun]) -> Results:
        free = next(worker for worker in self._workers if worker.free)
        return free.submit(
            [_Run(run.spec, run.split, run.identity) for run in runs],
            self._file(runs[0].material),
        )

    def close(self) -> None:
        for worker in self._workers:
            worker.close()

    def _file(self, material: EncodedDataset) -> Path:
        """The dataset in a file, from which all workers map its features into memory."""
        key = id(material)
        if key not in self._files:
            path = self._folder / f"{next(self._numbers)}.dataset"
            joblib.dump(material, path)
            self._files[key] = path
            finalize(material, self._files.pop, key, None)
        return self._files[key]


class _Worker:
    """A process that takes one cell at a time, and is replaced when it dies.

    It has an executor of its own: loky ends all workers of an executor when one of them dies, and
    does not say which cell it had. Results come back in a file: a process that is killed while it
    writes megabytes into loky's pipe leaves the other end waiting for the rest.
    """

    def __init__(self, settings: Locations, file: Path) -> None:
        self._settings = settings
        self._file = file
        self._executor = executor(1)
        self._future: Results | None = None

    @property
    def free(self) -> bool:
        return self._future is None or self._future.done()

    def submit(self, runs: list[_Run], dataset: Path) -> Results:
        call = (_work, self._settings, runs, dataset, self._file)
        with no_interrupts():  # the process may start only now
            try:
                inner: Future[None] = self._executor.submit(*call)
            except BrokenExecutor:
                self._executor = executor(1)
                inner = self._executor.submit(*call)
        self._future = Results()
        self._future.set_running_or_notify_cancel()
        settle(self._future, inner, self._received, _translated)
        return self._future

    def close(self) -> None:
        """End the process, at once if nobody waits for its cell any more."""
        self._executor.shutdown(kill_workers=not self.free)

    def _received(self, done: None) -> list[RunResult]:
        results = cast("list[RunResult]", pickle.loads(self._file.read_bytes()))
        self._file.unlink()
        return results


def _work(settings: Locations, runs: list[_Run], dataset: Path, file: Path) -> None:
    """Train a cell in a worker process."""
    material = _dataset(dataset)
    prepared = [PreparedRun(run.spec, material, run.split, run.identity) for run in runs]
    write_atomic(file, pickle.dumps(run_cell(prepared, _resources(settings))))


@lru_cache(1)
def _resources(settings: Locations) -> Resources:
    return Resources(settings)


@lru_cache(2)
def _dataset(path: Path) -> EncodedDataset:
    return cast(EncodedDataset, joblib.load(path, mmap_mode="c"))


def _translated(error: BaseException) -> BaseException:
    if isinstance(error, TerminatedWorkerError):
        return WorkerDiedError("killed from outside, or out of memory; use fewer --jobs")
    return error
