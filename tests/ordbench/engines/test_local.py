"""Worker processes on this machine, some of which are killed."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ordbench.engines.local import local_engine
from ordbench.results.store import Store
from ordbench.runs.resources import Resources
from ordbench.runs.runner import RunResult
from ordbench.sweeps.scheduler import Policy, Scheduler
from ordbench.sweeps.survey import PreparedCell
from tests.conftest import started

SmallCells = Callable[..., list[PreparedCell]]
Records = dict[str, dict[str, object]]
Bits = Callable[[Iterable[RunResult]], Records]


def tries(fragile: Path) -> list[tuple[int, str]]:
    """Process and cell of each try, in the order of their beginning."""
    lines = (fragile / "tries").read_text().splitlines()
    return [(int(pid), cell) for pid, _, cell in (line.partition(" ") for line in lines)]


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 100
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def held(fragile: Path) -> int:
    """The process that waits, as soon as one does."""
    until(lambda: (fragile / "held-here").exists())
    pid = int((fragile / "held-here").read_text())
    (fragile / "held-here").unlink()
    return pid


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody asked after is a zombie."""
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat").read_text() if sys.platform == "linux" else ") R"
    except (ProcessLookupError, FileNotFoundError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


@pytest.fixture(scope="module")
def alone(
    resources: Resources,
    small_cells: SmallCells,
    bits: Bits,
    fragile: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Records:
    """What undisturbed cells give in this process."""
    store = Store(tmp_path_factory.mktemp("alone"))
    cells = small_cells("fragile", shots="1,2,3")
    with local_engine(resources) as engine:
        records = bits(Scheduler(store, engine, Policy()).run(cells))
    (fragile / "tries").unlink()
    return records


@pytest.fixture(scope="module")
def disturbed(
    resources: Resources,
    small_cells: SmallCells,
    bits: Bits,
    fragile: Path,
    alone: Records,
    tmp_path_factory: pytest.TempPathFactory,
) -> Records:
    """What two workers give if one is killed once, one cell always kills, and idle ones die."""
    store = Store(tmp_path_factory.mktemp("disturbed"))
    cells = small_cells("fragile", shots="1,2") + small_cells("fragile:fatal=true", shots="1")
    (fragile / "kill").touch()
    with local_engine(resources, 2) as engine:
        records = bits(Scheduler(store, engine, Policy()).run(cells))
        for pid in {pid for pid, _ in tries(fragile)}:
            if alive(pid):
                os.kill(pid, signal.SIGKILL)
        until(lambda: not any(alive(pid) for pid, _ in tries(fragile)))
        more = small_cells("fragile", shots="3")
        return records | bits(Scheduler(store, engine, Policy()).run(more))


def test_records_and_predictions_are_those_of_one_process(
    disturbed: Records, alone: Records
) -> None:
    assert len(alone) == 6
    assert {run_id: disturbed[run_id] for run_id in alone} == alone


def test_a_cell_that_always_kills_its_worker_is_a_failure(
    disturbed: Records, alone: Records
) -> None:
    broken = [record for run_id, record in disturbed.items() if run_id not in alone]
    assert [record["status"] for record in broken] == ["failed", "failed"]
    assert all("'dtype': 'float32'" in str(record["features"]) for record in broken)
    assert {record["error"] for record in broken} == {
        "worker process crashed twice: killed from outside, or out of memory; use fewer --jobs"
    }


@pytest.mark.usefixtures("disturbed")
def test_a_death_at_work_costs_one_retry_and_one_at_rest_costs_nothing(fragile: Path) -> None:
    # Two heads a cell, one a seed; a worker that dies takes the first with it.
    heads_made = Counter(cell for _, cell in tries(fragile))
    assert heads_made.pop("1 True") == 2
    assert heads_made.pop("3 False") == 2
    assert sorted(heads_made.values()) == [2, 3]


def test_trained_heads_come_from_workers_as_from_this_process(
    resources: Resources, small_cells: SmallCells, bits: Bits, tmp_path: Path
) -> None:
    found: list[Records] = []
    for jobs in (1, 2):
        store = Store(tmp_path / str(jobs))
        with local_engine(resources, jobs) as engine:
            found.append(bits(Scheduler(store, engine, Policy()).run(small_cells("linear"))))
        assert all(store.head_file(record) for record in store.records())
    assert found[0] == found[1]


def test_a_worker_outlives_ctrl_c_and_its_cell_and_ends_at_once_when_nobody_waits_for_it(
    resources: Resources, small_cells: SmallCells, fragile: Path
) -> None:
    (cell,) = small_cells("fragile", shots="1")
    with local_engine(resources, 2) as engine:
        (fragile / "hold-here").touch()
        first = engine.submit(cell.runs)
        pid = held(fragile)
        os.kill(pid, signal.SIGINT)
        (fragile / "go-here").touch()
        assert [trial.record.status for trial in first.result(60)] == ["done", "done"]
        (fragile / "go-here").unlink()
        (fragile / "hold-here").touch()
        engine.submit(cell.runs)
        assert held(fragile) == pid
    until(lambda: not alive(pid))


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="this system has no masks")
def test_a_worker_never_hears_a_ctrl_c_not_even_before_its_first_line() -> None:
    code = (
        "import signal; from ordbench.utils.processes import executor, no_interrupts\n"
        "mask = signal.pthread_sigmask, signal.SIG_BLOCK, ()\n"
        "with no_interrupts(): there = executor(1).submit(*mask)\n"
        "here = signal.pthread_sigmask(signal.SIG_BLOCK, ())\n"
        "print(signal.SIGINT in there.result(), signal.SIGINT in here)"
    )  # in a process of its own: the first worker of one is not like the others
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True
    )
    assert ran.stdout.split() == ["True", "False"]


def test_a_worker_does_not_outlive_its_parent() -> None:
    code = (
        "import os, time; from ordbench.utils.processes import executor; "
        "print(executor(1).submit(os.getpid).result(), flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", code]
    with started(command, stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert alive(worker)
    until(lambda: not alive(worker))
