"""The loop over prepared cells, with an engine that does what each test tells it."""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import CancelledError
from pathlib import Path

import pytest
from filelock import FileLock

from ordbench.engines.base import Engine, Results, WorkerDiedError
from ordbench.engines.local import local_engine
from ordbench.errors import DatasetError, TrainingError
from ordbench.results.store import Store
from ordbench.runs.preparation import PreparedRun
from ordbench.runs.resources import Resources
from ordbench.runs.runner import RunResult, failure, run_cell
from ordbench.sweeps.scheduler import Policy, Scheduler, lock_of
from ordbench.sweeps.survey import PreparedCell

SmallCells = Callable[..., list[PreparedCell]]
Bits = Callable[[Iterable[RunResult]], dict[str, dict[str, object]]]
Run = Callable[..., Generator[RunResult]]
DIED = WorkerDiedError("killed from outside")


class Scripted:
    """Trains in this process; ``errors`` are what comes of the first cells instead."""

    def __init__(self, resources: Resources, *errors: BaseException | None, size: int = 1) -> None:
        self.resources = resources
        self.errors = list(errors)
        self.size = size
        self.tried: list[int | None] = []
        self.futures: list[Results] = []

    def submit(self, runs: Sequence[PreparedRun]) -> Results:
        self.tried.append(runs[0].spec.shots)
        future = Results()
        error = self.errors.pop(0) if self.errors else None
        if error:
            future.set_exception(error)
        else:
            future.set_result(run_cell(runs, self.resources))
        self.futures.append(future)
        return future


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture
def run(store: Store) -> Run:
    """`Scheduler.run` on the store of the test."""

    def call(
        cells: list[PreparedCell],
        engine: Engine,
        policy: Policy = Policy(),  # noqa: B008 - a tuple
        stopped: Callable[[], bool] = lambda: False,
    ) -> Generator[RunResult]:
        return Scheduler(store, engine, policy, stopped).run(cells)

    return call


def shots_of(results: Iterable[RunResult]) -> list[int | None]:
    """Of each cell, which has two runs."""
    return [result.record.spec.shots for result in results][::2]


def held_lock(cell: PreparedCell, store: Store) -> FileLock:
    return lock_of(cell.runs[0].identity.cell, store)


def free(cell: PreparedCell, store: Store) -> bool:
    lock = held_lock(cell, store)
    lock.acquire(blocking=False)
    lock.release()
    return True


def test_a_dead_worker_costs_its_cell_one_retry_and_the_other_cells_nothing(
    run: Run, resources: Resources, store: Store, small_cells: SmallCells
) -> None:
    engine = Scripted(resources, None, DIED)
    assert shots_of(run(small_cells("linear", shots="1,2,3"), engine)) == [1, 2, 3]
    assert engine.tried == [1, 2, 2, 3]
    assert {record.status for record in store.records()} == {"done"}


def test_a_cell_that_always_kills_its_worker_is_a_failure_and_stops_nothing(
    run: Run, resources: Resources, store: Store, small_cells: SmallCells
) -> None:
    engine = Scripted(resources, DIED, DIED)
    first, second, *others = run(small_cells("linear"), engine)
    assert engine.tried == [1, 1, 2]
    assert [r.record.status for r in (first, second)] == ["failed", "failed"]
    assert first.record.error == "worker process crashed twice: killed from outside"
    trace = next(store.root.rglob(f"{first.record.run_id}.trace"))
    assert trace.read_text() == "no traceback: worker process crashed twice: killed from outside\n"
    assert [r.record.status for r in others] == ["done", "done"]


def test_a_cell_that_another_process_is_at_is_left_to_the_end(
    run: Run, resources: Resources, store: Store, small_cells: SmallCells
) -> None:
    cells = small_cells("linear", shots="1,2,3")
    other = held_lock(cells[0], store)
    other.acquire()
    results = run(cells, Scripted(resources))
    assert shots_of(next(results) for _ in range(4)) == [2, 3]
    other.release()
    assert shots_of(results) == [1]


def test_what_another_process_did_meanwhile_is_not_done_again(
    run: Run, resources: Resources, small_cells: SmallCells
) -> None:
    cells = small_cells("linear")
    list(run(cells[:1], Scripted(resources)))
    engine = Scripted(resources)
    results = list(run(cells, engine))
    assert engine.tried == [2]
    assert [r.done_before for r in results] == [True, True, False, False]


def test_one_that_waits_for_another_process_says_so_and_can_be_stopped(
    run: Run,
    resources: Resources,
    store: Store,
    small_cells: SmallCells,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (cell,) = small_cells("linear", shots="1")
    other = held_lock(cell, store)
    other.acquire()
    asked: list[bool] = []
    monkeypatch.setattr("ordbench.sweeps.scheduler.PATIENCE", 1)

    def stopped() -> bool:
        asked.append(True)
        return len(asked) > 9

    assert list(run([cell], Scripted(resources), stopped=stopped)) == []
    other.release()
    assert caplog.messages == [
        f"waiting for another process to finish {cell.cell.title} (locks in {store.root / 'locks'})"
    ]


def test_after_a_stop_no_cell_begins_and_those_that_wait_are_cancelled(
    run: Run, resources: Resources, store: Store, small_cells: SmallCells
) -> None:
    class Waits(Scripted):
        """Its second cell waits until it is cancelled."""

        def submit(self, runs: Sequence[PreparedRun]) -> Results:
            future = super().submit(runs)
            if len(self.tried) < 2:
                return future
            waits = Results()
            waits.cancel = lambda: bool(waits.set_exception(CancelledError()))
            return waits

    cells = small_cells("linear", shots="1,2,3")
    engine = Waits(resources, size=2)
    results = list(run(cells, engine, stopped=lambda: len(engine.tried) == 2))
    assert engine.tried == [1, 2]
    assert shots_of(results) == [1]
    assert all(free(cell, store) for cell in cells)


def test_a_worker_that_dies_after_a_stop_leaves_its_cell_for_the_next_time(
    run: Run, resources: Resources, store: Store, small_cells: SmallCells
) -> None:
    engine = Scripted(resources, DIED)
    assert list(run(small_cells("linear"), engine, stopped=lambda: bool(engine.tried))) == []
    assert list(store.records()) == []


def test_the_first_failure_ends_the_sweep_where_that_is_wanted(
    run: Run, resources: Resources, store: Store, small_cells: SmallCells
) -> None:
    cells = small_cells("linear")
    engine = Scripted(resources, DIED, DIED)
    (result,) = run(cells, engine, Policy(fail_fast=True))
    assert result.record.status == "failed"
    assert engine.tried == [1, 1]
    assert all(free(cell, store) for cell in cells)


def test_what_ended_with_the_first_failure_is_kept(
    run: Run, resources: Resources, store: Store, small_cells: SmallCells
) -> None:
    class FirstFails(Scripted):
        def submit(self, runs: Sequence[PreparedRun]) -> Results:
            future = super().submit(runs)
            if self.tried != [1]:
                return future
            failed = Results()
            error = TrainingError("out of memory")
            failed.set_result([RunResult(failure(one, error, "cpu"), trace="x") for one in runs])
            return failed

    engine = FirstFails(resources, size=8)
    list(run(small_cells("linear", shots="1,2,3"), engine, Policy(fail_fast=True)))
    assert engine.tried == [1, 2, 3]
    assert Counter(record.status for record in store.records()) == {"failed": 2, "done": 4}


def test_an_error_that_a_user_can_mend_ends_the_sweep_and_frees_its_cells(
    run: Run, resources: Resources, store: Store, small_cells: SmallCells
) -> None:
    cells = small_cells("linear")
    with pytest.raises(DatasetError, match="the disk is gone"):
        list(run(cells, Scripted(resources, DatasetError("the disk is gone"), size=2)))
    assert all(free(cell, store) for cell in cells)


@pytest.mark.parametrize(("limit", "trained"), [(1, [1]), (2, [1]), (3, [1, 2]), (9, [1, 2, 3])])
def test_a_limit_counts_runs_and_not_cells(
    run: Run, resources: Resources, small_cells: SmallCells, limit: int, trained: list[int]
) -> None:
    engine = Scripted(resources)
    results = list(run(small_cells("linear", shots="1,2,3"), engine, Policy(limit=limit)))
    assert (len(results), engine.tried) == (min(limit, 6), trained)


def test_an_engine_never_has_more_cells_than_its_size(
    run: Run, resources: Resources, small_cells: SmallCells
) -> None:
    class Slow(Scripted):
        """Ends a cell when the next one begins, and the last one at once."""

        def submit(self, runs: Sequence[PreparedRun]) -> Results:
            ended = super().submit(runs)
            later = Results()
            begun.append((later, ended.result()))
            most.append(sum(not future.done() for future, _ in begun))
            for future, results in begun[:-1] if len(begun) < 3 else begun:
                if not future.done():
                    future.set_result(results)
            return later

    begun: list[tuple[Results, list[RunResult]]] = []
    most: list[int] = []
    results = run(small_cells("linear", shots="1,2,3"), Slow(resources, size=2))
    assert sorted(shots or 0 for shots in shots_of(results)) == [1, 2, 3]
    assert most == [1, 2, 2]


def test_a_sweep_that_is_stopped_and_begun_again_gives_what_one_alone_does(
    resources: Resources, tmp_path: Path, small_cells: SmallCells, bits: Bits
) -> None:
    cells = small_cells("linear")
    with local_engine(resources) as engine:
        once = bits(Scheduler(Store(tmp_path / "a"), engine, Policy()).run(cells))
        begun = Scheduler(Store(tmp_path / "b"), engine, Policy()).run(cells)
        next(begun)
        begun.close()
        again = bits(Scheduler(Store(tmp_path / "b"), engine, Policy()).run(cells))
    assert again == once
