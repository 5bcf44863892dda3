"""What benchmarks share: one thread, drawn faces that are encoded once, versions for the report."""

from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version

import pytest

from ordbench.runs.preparation import prepare
from ordbench.runs.resources import Locations, Resources
from ordbench.sweeps.cells import Cell, cells
from ordbench.sweeps.spec import SweepSpec
from ordbench.utils.environment import versions
from ordbench.utils.torch_threads import threads

Plan = Callable[..., list[Cell]]

PEERS = ("coral-pytorch", "scikit-learn")


def pytest_benchmark_update_machine_info(
    config: pytest.Config, machine_info: dict[str, object]
) -> None:
    peers = {name: version(name) for name in PEERS}
    machine_info["versions"] = versions() | peers


@pytest.fixture
def one_thread() -> Iterator[None]:
    with threads(1):
        yield


@pytest.fixture(scope="session")
def plan() -> Plan:
    """Cells on few drawn faces: 12 of each of 90 ages."""

    def make(
        *heads: str, shots: str = "all", seeds: str = "0", recipe: Sequence[str] = ()
    ) -> list[Cell]:
        spec = SweepSpec.from_options(
            head=heads,
            dataset="drawn-faces:per_rank=12",
            shots=shots,
            seeds=seeds,
            recipe=recipe,
        )
        return cells(spec.expand())

    return make


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory, plan: Plan) -> Locations:
    """Where the faces are drawn and encoded already, so that no benchmark pays for it."""
    settings = Locations(cache=tmp_path_factory.mktemp("cache"), device="cpu")
    prepare(plan("linear")[0].specs[0], Resources(settings))
    return settings
