"""A few-shot table by one `ordbench run` with two workers, and its runs one after the other.

Run: ORDBENCH_PLAN=benchmarks/few_shot.yaml pytest benchmarks/test_few_shot.py
That takes 20 minutes on two cores; any other plan will do. The images are encoded already. The
sweep's own process is started and ended within its time, the loop runs in this one. Their scores
must be equal.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

import ordbench
from ordbench.results.diff import diff
from ordbench.results.loading import load_rows
from ordbench.runs.preparation import prepare
from ordbench.runs.resources import Locations, Resources
from ordbench.runs.spec import RunSpec
from ordbench.sweeps.spec import SweepSpec

PLAN = os.environ.get("ORDBENCH_PLAN", "")

pytestmark = pytest.mark.skipif(not PLAN, reason="ORDBENCH_PLAN is not set")


@pytest.fixture(scope="module")
def specs(settings: Locations) -> list[RunSpec]:
    specs = SweepSpec.from_options(Path(PLAN)).expand()
    resources = Resources(settings)
    for spec in specs:
        prepare(spec, resources)
    return specs


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the sweep leaves behind, for the loop to be held against."""
    return tmp_path_factory.mktemp("swept")


@pytest.fixture(autouse=True)
def group(benchmark: BenchmarkFixture, specs: list[RunSpec]) -> None:
    benchmark.group = f"{Path(PLAN).name}, {len(specs)} runs"


def test_sweep(benchmark: BenchmarkFixture, settings: Locations, swept: Path) -> None:
    command = [sys.executable, "-m", "ordbench", "run", PLAN, "--jobs", "2", "--device", "cpu"]
    command += ["--cache", str(settings.cache), "--results", str(swept)]
    benchmark.pedantic(subprocess.run, [command], {"check": True}, rounds=1)


def test_loop_of_single_runs(
    benchmark: BenchmarkFixture,
    specs: list[RunSpec],
    settings: Locations,
    swept: Path,
    tmp_path: Path,
) -> None:
    def loop() -> None:
        for spec in specs:
            ordbench.run(spec, results=tmp_path, settings=settings)

    benchmark.pedantic(loop, rounds=1)
    assert not diff(load_rows(swept), load_rows(tmp_path))
