"""The engine's loop, with a pool that does what each test tells it."""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import CancelledError, Future
from pathlib import Path
from typing import cast

import pytest
from filelock import FileLock

from ordbench.engines.base import Pool, Trials, WorkerDiedError, relay, run_cells
from ordbench.engines.local import local_pool
from ordbench.errors import DatasetError, TrainingError
from ordbench.results.store import Store
from ordbench.runs.preparation import PreparedRun, prepare
from ordbench.runs.resources import Resources
from ordbench.runs.runner import RunResult, failure, run_cell
from ordbench.sweeps.cells import Cell
from ordbench.sweeps.survey import Outcome, Policy, lock_of

SmallCells = Callable[..., list[Cell]]
Bits = Callable[[Iterable[list[Outcome]]], dict[str, dict[str, object]]]
DIED = WorkerDiedError("killed from outside")


class Scripted:
    """Trains in this process; ``errors`` are what comes of the first cells instead."""

    def __init__(self, resources: Resources, *errors: BaseException | None, size: int = 1) -> None:
        self.resources = resources
        self.errors = list(errors)
        self.size = size
        self.tried: list[int | None] = []
        self.withdrawn = False

    def submit(self, prepared: Sequence[PreparedRun]) -> Trials:
        self.tried.append(prepared[0].spec.shots)
        future: Trials = Future()
        error = self.errors.pop(0) if self.errors else None
        if error:
            future.set_exception(error)
        else:
            future.set_result(run_cell(prepared, self.resources))
        return future

    def withdraw(self) -> None:
        self.withdrawn = True


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.fixture
def run(resources: Resources, store: Store) -> Callable[..., Iterable[list[Outcome]]]:
    """`run_cells` on the workspace and the store of the test."""

    def call(
        cells: list[Cell],
        pool: Pool,
        policy: Policy = Policy(),  # noqa: B008 - a tuple
        stopped: Callable[[], bool] = lambda: False,
    ) -> Iterable[list[Outcome]]:
        return run_cells(cells, resources, store, policy, pool, stopped=stopped)

    return call


Run = Callable[..., Iterable[list[Outcome]]]


def shots_of(outcomes: list[Outcome]) -> int | None:
    return outcomes[0].record.spec.shots


def held_lock(cell: Cell, resources: Resources, store: Store) -> FileLock:
    return lock_of(prepare(cell.specs[0], resources).identity.cell, store)


def free(cell: Cell, resources: Resources, store: Store) -> bool:
    lock = held_lock(cell, resources, store)
    lock.acquire(blocking=False)
    lock.release()
    return True


def test_a_dead_worker_costs_its_cell_one_retry_and_the_other_cells_nothing(
    run: Run, resources: Resources, store: Store, small_cells: SmallCells
) -> None:
    pool = Scripted(resources, None, DIED)
    outcomes = list(run(small_cells("linear", shots="1,2,3"), pool))
    assert [shots_of(cell) for cell in outcomes] == [1, 2, 3]
    assert pool.tried == [1, 2, 2, 3]
    assert {record.status for record in store.records()} == {"done"}


def test_a_cell_that_always_kills_its_worker_is_a_failure_and_stops_nothing(
    run: Run, resources: Resources, store: Store, small_cells: SmallCells
) -> None:
    pool = Scripted(resources, DIED, DIED)
    first, second = run(small_cells("linear"), pool)
    assert pool.tried == [1, 1, 2]
    assert [o.record.status for o in first] == ["failed", "failed"]
    assert first[0].record.error == "its worker died twice: killed from outside"
    trace = next(store.root.rglob(f"{first[0].record.run_id}.trace"))
    assert trace.read_text() == "no traceback: its worker died twice: killed from outside\n"
    assert [o.record.status for o in second] == ["done", "done"]


def test_a_cell_that_another_process_is_at_is_left_to_the_end(
    run: Run, resources: Resources, store: Store, small_cells: SmallCells
) -> None:
    cells = small_cells("linear", shots="1,2,3")
    other = held_lock(cells[0], resources, store)
    other.acquire()
    outcomes = iter(run(cells, Scripted(resources)))
    assert [shots_of(next(outcomes)), shots_of(next(outcomes))] == [2, 3]
    other.release()
    assert [shots_of(cell) for cell in outcomes] == [1]


def test_what_another_process_did_meanwhile_is_not_done_again(
    run: Run, resources: Resources, store: Store, small_cells: SmallCells
) -> None:
    cells = small_cells("linear")
    list(run(cells[:1], Scripted(resources)))
    pool = Scripted(resources)
    first, second = run(cells, pool)
    assert pool.tried == [2]
    assert [o.skipped for o in first + second] == [True, True, False, False]


def test_one_that_waits_for_another_process_says_so_and_can_be_stopped(
    run: Run,
    resources: Resources,
    store: Store,
    small_cells: SmallCells,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (cell,) = small_cells("linear", shots="1")
    other = held_lock(cell, resources, store)
    other.acquire()
    asked: list[bool] = []
    monkeypatch.setattr("ordbench.engines.base.PATIENCE", 1)

    def stopped() -> bool:
        asked.append(True)
        return len(asked) > 9

    assert list(run([cell], Scripted(resources), stopped=stopped)) == []
    other.release()
    assert caplog.messages == [
        f"waiting for other processes, which are at {cell.title}; "
        f"their locks lie in {store.root / 'locks'}"
    ]


def test_after_a_stop_no_cell_begins_and_those_that_wait_are_withdrawn(
    run: Run, resources: Resources, store: Store, small_cells: SmallCells
) -> None:
    cells = small_cells("linear", shots="1,2,3")
    pool = Scripted(resources, None, CancelledError(), size=2)
    outcomes = list(run(cells, pool, stopped=lambda: len(pool.tried) == 2))
    assert pool.withdrawn
    assert pool.tried == [1, 2]
    assert [shots_of(cell) for cell in outcomes] == [1]
    assert all(free(cell, resources, store) for cell in cells)


def test_a_worker_that_dies_after_a_stop_leaves_its_cell_for_the_next_time(
    run: Run, resources: Resources, store: Store, small_cells: SmallCells
) -> None:
    pool = Scripted(resources, DIED)
    assert list(run(small_cells("linear"), pool, stopped=lambda: bool(pool.tried))) == []
    assert list(store.records()) == []


def test_the_first_failure_ends_the_sweep_where_that_is_wanted(
    run: Run, resources: Resources, store: Store, small_cells: SmallCells
) -> None:
    cells = small_cells("linear")
    pool = Scripted(resources, DIED, DIED)
    (outcomes,) = run(cells, pool, Policy(fail_fast=True))
    assert {o.record.status for o in outcomes} == {"failed"}
    assert pool.tried == [1, 1]
    assert all(free(cell, resources, store) for cell in cells)


def test_what_ended_with_the_first_failure_is_kept(
    run: Run, resources: Resources, store: Store, small_cells: SmallCells
) -> None:
    class FirstFails(Scripted):
        def submit(self, prepared: Sequence[PreparedRun]) -> Trials:
            future = super().submit(prepared)
            if self.tried != [1]:
                return future
            failed: Trials = Future()
            error = TrainingError("out of memory")
            failed.set_result(
                [RunResult(failure(one, error, "cpu"), trace="x") for one in prepared]
            )
            return failed

    pool = FirstFails(resources, size=8)
    list(run(small_cells("linear", shots="1,2,3"), pool, Policy(fail_fast=True)))
    assert pool.tried == [1, 2, 3]
    assert Counter(record.status for record in store.records()) == {"failed": 2, "done": 4}


def test_an_error_that_a_user_can_mend_ends_the_sweep_and_frees_its_cells(
    run: Run, resources: Resources, store: Store, small_cells: SmallCells
) -> None:
    cells = small_cells("linear")
    with pytest.raises(DatasetError, match="the disk is gone"):
        list(run(cells, Scripted(resources, DatasetError("the disk is gone"), size=2)))
    assert all(free(cell, resources, store) for cell in cells)


def test_a_pool_never_has_more_cells_than_it_takes(
    run: Run, resources: Resources, small_cells: SmallCells
) -> None:
    class Slow(Scripted):
        """Ends a cell when the next one begins, and the last one at once."""

        def submit(self, prepared: Sequence[PreparedRun]) -> Trials:
            ended = super().submit(prepared)
            later: Trials = Future()
            begun.append((later, ended.result()))
            most.append(sum(not future.done() for future, _ in begun))
            for future, trials in begun[:-1] if len(begun) < 3 else begun:
                if not future.done():
                    future.set_result(trials)
            return later

    begun: list[tuple[Trials, list[RunResult]]] = []
    most: list[int] = []
    outcomes = run(small_cells("linear", shots="1,2,3"), Slow(resources, size=2))
    assert sorted(shots_of(cell) or 0 for cell in outcomes) == [1, 2, 3]
    assert most == [1, 2, 2]


def test_a_relay_translates_errors_and_nothing_else() -> None:
    good: Trials = Future()
    bad: Trials = Future()
    outer_good, outer_bad = (relay(inner, KeyError, list) for inner in (good, bad))
    assert not outer_good.done()
    good.set_result([])
    bad.set_exception(ValueError("no"))
    assert outer_good.result() == []
    assert isinstance(outer_bad.exception(), KeyError)


def test_a_sweep_that_is_stopped_and_begun_again_gives_what_one_alone_does(
    resources: Resources, tmp_path: Path, small_cells: SmallCells, bits: Bits
) -> None:
    cells = small_cells("linear")
    here = local_pool(resources, 1)
    with here as pool:
        once = bits(run_cells(cells, resources, Store(tmp_path / "a"), Policy(), pool))
        begun = run_cells(cells, resources, Store(tmp_path / "b"), Policy(), pool)
        next(begun)
        cast(Generator[object], begun).close()
        again = bits(run_cells(cells, resources, Store(tmp_path / "b"), Policy(), pool))
    assert again == once
