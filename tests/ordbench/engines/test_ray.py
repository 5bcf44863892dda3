"""A Ray cluster of two nodes on the loopback address, which loses workers and then a node."""

from __future__ import annotations

import importlib
import importlib.util
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from ordbench.engines.base import Pool, run_cells
from ordbench.engines.local import local_pool
from ordbench.engines.ray import ray_pool
from ordbench.errors import SpecError
from ordbench.results.store import Store
from ordbench.runs.resources import Resources
from ordbench.sweeps.cells import Cell
from ordbench.sweeps.survey import Outcome, Policy

SmallCells = Callable[..., list[Cell]]
Records = dict[str, dict[str, object]]
Bits = Callable[[Iterable[list[Outcome]]], Records]
Run = Callable[[list[Cell]], Records]

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

    one = {"num_cpus": 1, "node_ip_address": "127.0.0.1"}
    with pytest.MonkeyPatch.context() as patch:
        # Else Ray would look for the cluster at this machine's address in the network.
        patch.setattr("ray._private.ray_constants.ENABLE_RAY_CLUSTER", False)
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
def pool(cluster: Cluster, resources: Resources) -> Iterator[Pool]:
    with ray_pool(resources, address=cluster.address) as workers:
        yield workers


@pytest.fixture(autouse=True)
def no_tries(fragile: Path) -> None:
    """No test sees what another one tried."""
    (fragile / "tries").unlink(missing_ok=True)


@pytest.fixture
def on_ray(pool: Pool, resources: Resources, tmp_path: Path, bits: Bits) -> Run:
    """What the cluster makes of cells."""
    store = Store(tmp_path / "ray")
    return lambda cells: bits(run_cells(cells, resources, store, Policy(), pool))


@pytest.fixture
def here(resources: Resources, tmp_path: Path, bits: Bits) -> Run:
    """What this process makes of cells."""

    def run(cells: list[Cell]) -> Records:
        with local_pool(resources, 1) as pool:
            store = Store(tmp_path / "here")
            return bits(run_cells(cells, resources, store, Policy(), pool))

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
    assert str(errors[0]).startswith("its worker died twice: killed from outside")


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
    pool: Pool,
    cluster: Cluster,
    resources: Resources,
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

    assert pool.size == 4  # two CPUs, and as many cells that wait for them
    cells = small_cells("fragile", shots="1,2,3") + small_cells("linear")
    store = Store(tmp_path)
    ended = list(run_cells(cells, resources, store, Policy(), pool, stopped=stopped))
    assert len(ended) == 2
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
@pytest.mark.usefixtures("pool")
def test_a_gpu_that_is_not_there_is_refused(resources: Resources) -> None:
    refused = ray_pool(resources, gpus_per_cell=0.5)
    with pytest.raises(SpecError, match=r"^--gpus-per-cell 0.5: Ray finds no GPU"), refused:
        pass


@pytest.mark.parametrize("gpus", [1.5, -1.0])
def test_a_part_of_a_gpu_that_cannot_be_had_is_refused_at_once(
    resources: Resources, gpus: float
) -> None:
    with pytest.raises(SpecError, match=rf"^--gpus-per-cell {gpus}: wanted a part of a GPU"):
        ray_pool(resources, gpus_per_cell=gpus)
