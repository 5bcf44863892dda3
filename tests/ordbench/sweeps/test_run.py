"""Which engine a command line means."""

import importlib.util
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ordbench.engines.base import run_cells
from ordbench.errors import SpecError
from ordbench.results.store import Store
from ordbench.runs.resources import Resources
from ordbench.sweeps.cells import Cell
from ordbench.sweeps.run import Engine
from ordbench.sweeps.survey import Policy

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        (Engine(address="auto"), "--address auto: only Ray has that; add --engine ray"),
        (Engine(gpus_per_cell=0.0), "--gpus-per-cell 0.0: only Ray has that; add --engine ray"),
    ],
)
def test_an_option_of_another_engine_is_refused(
    engine: Engine, said: str, resources: Resources
) -> None:
    with pytest.raises(SpecError) as refused:
        engine.pool(resources)
    assert str(refused.value) == said


@pytest.mark.parametrize(("jobs", "size"), [(None, 1), (1, 1), (3, 3)])
def test_a_local_pool_takes_as_many_cells_as_there_are_jobs(
    jobs: int | None, size: int, resources: Resources
) -> None:
    with Engine(jobs=jobs).pool(resources) as pool:
        assert pool.size == size


@pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: ordbench[ray]"
)
def test_a_ray_of_its_own_gives_what_the_local_engine_does(
    cli: Cli, resources: Resources, small_cells: Callable[..., list[Cell]], tmp_path: Path
) -> None:
    sweep = ["--head", "linear", "--dataset", "drawn-faces:per_rank=5", "--shots", "1,2"]
    sweep += ["--seeds", "0-1", "--recipe", "min_steps=4", "--recipe", "epochs=1"]
    env = {"HOME": str(tmp_path), "RAY_ADDRESS": "", "RAY_worker_niceness": "0"}
    ran = cli("run", *sweep, "--engine", "ray", "--jobs", "1", "--json", env=env)
    assert ran.returncode == 0, ran.stderr
    on_ray = [json.loads(line) for line in ran.stdout.splitlines()]
    store = Store(tmp_path / "local")
    with Engine().pool(resources) as pool:
        list(run_cells(small_cells("linear"), resources, store, Policy(), pool))
    local = [json.loads(record.model_dump_json()) for record in store.records()]
    assert len(local) == 4
    for part in ("metrics", "predictions", "training"):
        assert {r["run_id"]: r[part] for r in on_ray} == {r["run_id"]: r[part] for r in local}
