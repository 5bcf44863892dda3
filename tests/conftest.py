"""What the tests of the whole way share: the command line in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
Cli = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One feature cache for the session: the drawn faces are drawn and encoded once."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def cli(tmp_path: Path, shared_cache: Path) -> Cli:
    """Run `ordbench ARGUMENTS` in an empty folder, with no home and no network to lean on."""

    def call(
        *arguments: str | Path, env: dict[str, str] | None = None, cwd: Path = tmp_path
    ) -> subprocess.CompletedProcess[str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("ORDBENCH_")}
        environment = {
            **inherited,
            "ORDBENCH_CACHE": str(shared_cache),
            "ORDBENCH_DATA": str(tmp_path / "data"),
            "HF_HUB_OFFLINE": "1",
            "COLUMNS": "200",
            **(env or {}),
        }
        command = [sys.executable, "-P", "-m", "ordbench", *map(str, arguments)]
        return subprocess.run(
            command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300
        )

    return call
