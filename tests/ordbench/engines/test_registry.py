"""Which engine a command line means."""

import importlib.util
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ordbench.engines.local import local_engine
from ordbench.engines.registry import open_engine
from ordbench.errors import SpecError
from ordbench.results.store import Store
from ordbench.runs.resources import Resources
from ordbench.sweeps.scheduler import Policy, Scheduler
from ordbench.sweeps.survey import PreparedCell

Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("engine", "said"),
    [
        ("dask", "--engine dask: wanted local or ray"),
        ("local:address=auto", "engine 'local' has no option 'address'"),
        ("ray:address=head:6379", "write a value that holds a colon in double quotes"),
        ("ray:gpus=-1", "--engine ray:gpus=-1.0: wanted a fraction of a GPU"),
        ("ray:gpus=many", "engine 'ray', option gpus='many'"),
    ],
)
def test_what_is_no_engine_or_no_option_of_it_is_refused(
    engine: str, said: str, resources: Resources
) -> None:
    with pytest.raises(SpecError) as refused:
        open_engine(engine, resources)
    assert said in str(refused.value)


@pytest.mark.parametrize(("jobs", "size"), [(None, 1), (1, 1), (3, 3)])
def test_the_local_engine_takes_as_many_cells_as_there_are_jobs(
    jobs: int | None, size: int, resources: Resources
) -> None:
    with open_engine("local", resources, jobs) as engine:
        assert engine.size == size


@pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason="Ray is not installed: ordbench[ray]"
)
def test_a_ray_of_its_own_gives_what_the_local_engine_does(
    cli: Cli,
    resources: Resources,
    small_cells: Callable[..., list[PreparedCell]],
    tmp_path: Path,
) -> None:
    sweep = ["--head", "linear", "--dataset", "drawn-faces:per_rank=5", "--shots", "1,2"]
    sweep += ["--seeds", "0-1", "--recipe", "min_steps=4", "--recipe", "epochs=1"]
    env = {"HOME": str(tmp_path), "RAY_ADDRESS": "", "RAY_worker_niceness": "0"}
    ran = cli("run", *sweep, "--engine", "ray", "--jobs", "1", "--json", env=env)
    assert ran.returncode == 0, ran.stderr
    on_ray = [json.loads(line) for line in ran.stdout.splitlines()]
    store = Store(tmp_path / "local")
    with local_engine(resources) as engine:
        list(Scheduler(store, engine, Policy()).run(small_cells("linear")))
    local = [json.loads(record.model_dump_json()) for record in store.records()]
    assert len(local) == 4
    for part in ("metrics", "predictions", "training"):
        assert {r["run_id"]: r[part] for r in on_ray} == {r["run_id"]: r[part] for r in local}
