"""What the tests of the whole way share: the command line in a process of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest

if TYPE_CHECKING:
    from ordbench.runs.resources import Resources
    from ordbench.runs.runner import RunResult
    from ordbench.sweeps.survey import PreparedCell

ROOT = Path(__file__).parent.parent
Cli = Callable[..., subprocess.CompletedProcess[str]]
SmallCells = Callable[..., "list[PreparedCell]"]
Bits = Callable[["Iterable[RunResult]"], dict[str, dict[str, object]]]


# A busy machine may stop for a while at any example.
hypothesis.settings.register_profile(
    "calm", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("calm")


@pytest.fixture(scope="session", autouse=True)
def no_proxy() -> Iterator[None]:
    """Servers of tests are on this machine, whatever stands between it and the network."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("no_proxy", "NO_PROXY"):
            patch.setenv(name, "127.0.0.1,localhost")
        yield


@contextmanager
def started(command: Sequence[str], **options: Any) -> Generator[subprocess.Popen[str]]:  # noqa: ANN401
    """A process that is gone afterwards, whatever came of the test."""
    process = subprocess.Popen(command, text=True, **options)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One feature cache for the session: the drawn faces are drawn and encoded once."""
    return tmp_path_factory.mktemp("cache")


def cli_environment(cache: Path, data: Path) -> dict[str, str]:
    """The environment of a command line that has no home and no network to lean on."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("ORDBENCH_")}
    return {
        **inherited,
        "ORDBENCH_CACHE": str(cache),
        "ORDBENCH_DATA": str(data),
        "HF_HUB_OFFLINE": "1",
        "COLUMNS": "200",
    }


@pytest.fixture
def cli(tmp_path: Path, shared_cache: Path) -> Cli:
    """Run `ordbench ARGUMENTS` in an empty folder."""

    def call(
        *arguments: str | Path, env: dict[str, str] | None = None, cwd: Path = tmp_path
    ) -> subprocess.CompletedProcess[str]:
        environment = cli_environment(shared_cache, tmp_path / "data") | (env or {})
        command = [sys.executable, "-P", "-m", "ordbench", *map(str, arguments)]
        return subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300
        )

    return call


@pytest.fixture(scope="session")
def resources(shared_cache: Path) -> Resources:
    """Where the small cells find their faces."""
    from ordbench.runs.resources import Locations, Resources

    return Resources(Locations(cache=shared_cache, device="cpu"))


@pytest.fixture(scope="session")
def small_cells(resources: Resources) -> SmallCells:
    """Prepared cells of two seeds on few drawn faces, that train in a moment."""
    from ordbench.runs.preparation import prepare
    from ordbench.sweeps.cells import cells
    from ordbench.sweeps.spec import SweepSpec
    from ordbench.sweeps.survey import PreparedCell

    def make(*heads: str, shots: str = "1,2") -> list[PreparedCell]:
        spec = SweepSpec.from_options(
            head=heads,
            dataset="drawn-faces:per_rank=5",
            shots=shots,
            seeds="0-1",
            recipe=["min_steps=4", "epochs=1"],
        )
        return [
            PreparedCell(cell, [prepare(spec, resources) for spec in cell.specs])
            for cell in cells(spec.expand())
        ]

    return make


@pytest.fixture(scope="session")
def bits() -> Bits:
    """What a sweep gave, by run id: records with the hashes of predictions, without times."""
    differ = {"seconds", "created", "checksum"}

    def collect(results: Iterable[RunResult]) -> dict[str, dict[str, object]]:
        return {r.record.run_id: r.record.model_dump(exclude=differ) for r in results}

    return collect


@pytest.fixture(scope="module")
def fragile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder where head `fragile` is installed, for this process and for those it starts."""
    site = tmp_path_factory.mktemp("fragile")
    shutil.copy(ROOT / "tests" / "fragile" / "ordbench_fragile.py", site)
    metadata = site / "ordbench_fragile-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: ordbench-fragile\nVersion: 1\n"
    )
    (metadata / "entry_points.txt").write_text(
        "[ordbench.heads]\nfragile = ordbench_fragile:Fragile\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        patch.setenv("PYTHONPATH", str(site), prepend=os.pathsep)
        yield site
    sys.modules.pop("ordbench_fragile", None)
