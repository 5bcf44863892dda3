"""A Ray cluster of two nodes on this machine, which loses workers and then a node."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, Protocol, TextIO, cast

import pytest

from ordbench.engines.base import Engine
from ordbench.engines.local import local_engine
from ordbench.engines.ray import Stdout, ray_engine
from ordbench.errors import SpecError
from ordbench.results.store import Store
from ordbench.runs.resources import Resources
from ordbench.runs.runner import RunResult
from ordbench.sweeps.scheduler import Policy, Scheduler
from ordbench.sweeps.survey import PreparedCell

SmallCells = Callable[..., list[PreparedCell]]
Records = dict[str, dict[str, object]]
Bits = Callable[[Iterable[RunResult]], Records]
Run = Callable[[list[PreparedCell]], Records]

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: ordbench[ray]"
)


class Node(Protocol):
    node_id: str


class Cluster(Protocol):
    """What is used here of Ray's own."""

    address: str
    head_node: Node
    worker_nodes: set[Node]

    def remove_node(self, node: Node, *, allow_graceful: bool) -> None: ...


@pytest.fixture(scope="module")
def cluster(fragile: Path) -> Iterator[Cluster]:
    """A head and a second node, of one CPU each."""
    cluster_utils: Any = importlib.import_module("ray.cluster_utils")

    one = {"num_cpus": 1}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_worker_niceness", "0")  # else workers starve on a busy machine
        patch.setenv("RAY_memory_monitor_refresh_ms", "0")  # others may fill the memory
        patch.delenv("RAY_ADDRESS", raising=False)
        running = cluster_utils.Cluster()
        running.add_node(**one, include_dashboard=False)
        running.add_node(**one)
        yield running
        running.shutdown()


def ids(cluster: Cluster) -> list[str]:
    """Of the nodes, the head first."""
    return [node.node_id for node in (cluster.head_node, *cluster.worker_nodes)]


@pytest.fixture(scope="module")
def engine(cluster: Cluster, resources: Resources) -> Iterator[Engine]:
    with ray_engine(resources, address=cluster.address) as ray:
        yield ray


@pytest.fixture(autouse=True)
def no_tries(fragile: Path) -> None:
    """No test sees what another one tried."""
    (fragile / "tries").unlink(missing_ok=True)


@pytest.fixture
def on_ray(engine: Engine, tmp_path: Path, bits: Bits) -> Run:
    """What the cluster makes of cells."""
    store = Store(tmp_path / "ray")
    return lambda cells: bits(Scheduler(store, engine, Policy()).run(cells))


@pytest.fixture
def here(resources: Resources, tmp_path: Path, bits: Bits) -> Run:
    """What this process makes of cells."""

    def run(cells: list[PreparedCell]) -> Records:
        with local_engine(resources) as local:
            return bits(Scheduler(Store(tmp_path / "here"), local, Policy()).run(cells))

    return run


def lines(fragile: Path) -> list[str]:
    """One line for each head that was made."""
    file = fragile / "tries"
    return file.read_text().splitlines() if file.exists() else []


def tries(fragile: Path) -> Counter[str]:
    """How many heads were made for each cell."""
    return Counter(line.partition(" ")[2] for line in lines(fragile))


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 100  # less than a head that holds waits
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@needs_ray
def test_records_and_predictions_are_those_of_one_process(
    on_ray: Run, here: Run, small_cells: SmallCells
) -> None:
    cells = small_cells("linear", "ordinalclip")
    records = on_ray(cells)
    assert len(records) == 8
    assert records == here(cells)


@needs_ray
def test_a_worker_that_is_killed_costs_its_cell_one_retry_and_nothing_else(
    on_ray: Run,
    here: Run,
    small_cells: SmallCells,
    fragile: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (fragile / "kill").touch()
    cells = small_cells("fragile", shots="1,2,3")
    with redirect_stdout(cast("TextIO", Stdout(sys.stdout))):  # capsys has put its own there
        records = on_ray(cells)
    # Two heads a cell, one a seed; the worker that died took the first with it.
    assert sorted(tries(fragile).values()) == [2, 2, 3]
    assert records == here(cells)
    assert capsys.readouterr().out == ""  # it is for results


@needs_ray
def test_a_cell_that_always_kills_its_worker_is_a_failure_and_stops_nothing(
    on_ray: Run, small_cells: SmallCells, fragile: Path
) -> None:
    records = on_ray(small_cells("fragile:fatal=true", "fragile", shots="1"))
    assert tries(fragile) == {"1 True": 2, "1 False": 2}
    errors = [record["error"] for record in records.values() if record["status"] == "failed"]
    assert len(errors) == 2
    assert str(errors[0]).startswith("worker process crashed twice: killed from outside")


@pytest.fixture
def both_hold(cluster: Cluster, fragile: Path) -> Iterator[Callable[[], bool]]:
    """The first head on each node waits for a file ``go-NODE``; says whether both do."""
    for node in ids(cluster):
        (fragile / f"hold-{node}").touch()
    yield lambda: all((fragile / f"held-{node}").exists() for node in ids(cluster))
    for order in ("go", "hold", "held"):
        for file in fragile.glob(f"{order}-*"):
            file.unlink()


@needs_ray
def test_a_stop_lets_the_cells_that_run_end_and_withdraws_those_that_wait(
    engine: Engine,
    cluster: Cluster,
    tmp_path: Path,
    small_cells: SmallCells,
    fragile: Path,
    both_hold: Callable[[], bool],
) -> None:
    asked: list[float] = []

    def stopped() -> bool:
        if not asked and both_hold():
            asked.append(time.monotonic())
        if asked and time.monotonic() > asked[0] + 1:
            for node in ids(cluster):
                (fragile / f"go-{node}").touch()
        return bool(asked)

    assert engine.size == 4  # two CPUs, and as many cells that wait for them
    cells = small_cells("fragile", shots="1,2,3") + small_cells("linear")
    store = Store(tmp_path)
    assert len(list(Scheduler(store, engine, Policy(), stopped).run(cells))) == 4
    assert [record.status for record in store.records()] == ["done"] * 4
    assert sorted(tries(fragile).values()) == [2, 2]


@needs_ray
def test_a_node_that_is_lost_costs_its_cell_one_retry_and_nothing_else(
    on_ray: Run,
    here: Run,
    cluster: Cluster,
    small_cells: SmallCells,
    fragile: Path,
    both_hold: Callable[[], bool],
) -> None:
    head, _ = ids(cluster)
    (second,) = cluster.worker_nodes

    def lose() -> None:
        until(both_hold)
        cluster.remove_node(second, allow_graceful=False)
        (fragile / f"go-{head}").touch()

    loser = threading.Thread(target=lose)
    loser.start()
    cells = small_cells("fragile", shots="1,2,3")
    records = on_ray(cells)
    loser.join()
    assert sorted(tries(fragile).values()) == [2, 2, 3]
    assert records == here(cells)


@needs_ray
@pytest.mark.usefixtures("engine")
def test_a_gpu_that_is_not_there_is_refused(resources: Resources) -> None:
    refused = ray_engine(resources, gpus=0.5)
    with pytest.raises(SpecError, match=r"^--engine ray:gpus=0.5: Ray finds no GPU"), refused:
        pass


@pytest.mark.parametrize("gpus", [1.5, -1.0])
def test_a_fraction_of_a_gpu_that_cannot_be_is_refused_at_once(
    resources: Resources, gpus: float
) -> None:
    with pytest.raises(SpecError, match=rf"^--engine ray:gpus={gpus}: wanted a fraction of a GPU"):
        ray_engine(resources, gpus=gpus)
