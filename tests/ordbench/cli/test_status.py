"""`ordbench status`: of sweeps that run, that were killed, and that are over."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from typer.testing import CliRunner

from ordbench.cli.main import app
from ordbench.errors import StoreError
from ordbench.results.store import Store
from ordbench.results.verify import Verification
from ordbench.runs.spec import RunSpec
from ordbench.sweeps.cells import cells
from ordbench.sweeps.status import StatusFile
from tests.conftest import cli_environment, started
from tests.ordbench.conftest import done, failed

Cli = Callable[..., subprocess.CompletedProcess[str]]
SWEEP = (
    *("run", "--head", "linear", "--dataset", "drawn-faces:per_rank=5", "--shots", "1"),
    *("--seeds", "0-1", "--recipe", "min_steps=4", "--recipe", "epochs=1", "--results", "r"),
)
# The first cell is trained at once; the next one waits to be killed.
SLOW = """
import os, sys, time
from ordbench.engines import local
quick = local.run_cell
def slow(runs, *others):
    time.sleep(0 if runs[0].spec.shots == 1 else 600)
    return quick(runs, *others)
local.run_cell = slow
from ordbench.cli.main import main
sys.exit(main())
"""


def status(folder: Path, *arguments: str) -> str:
    call = CliRunner().invoke(app, ["status", str(folder), *arguments])
    assert call.exit_code == 0, call.output
    return call.output


def test_a_sweep_is_seen_while_it_runs_and_after_it_was_killed(
    tmp_path: Path, shared_cache: Path, cli: Cli
) -> None:
    both = [*SWEEP, "--shots", "2"]
    environment = cli_environment(shared_cache, tmp_path / "data")
    command = [sys.executable, "-c", SLOW, *both]
    results = tmp_path / "r"
    with started(command, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL) as process:
        while not any("2 shots" in title for title in running_in(results)):
            assert process.poll() is None
            time.sleep(0.1)
        (sweep,) = json.loads(status(results, "--json"))["sweeps"]
        assert (sweep["state"], sweep["trained"], sweep["planned"]) == ("running", 2, 4)
        text = status(results)
        assert text.startswith("running: 2 of 4 runs done; ")
        assert "\n  now: linear on drawn-faces:per_rank=5, clip:tiny, 2 shots\n" in text
        assert text.endswith(f"in {results}: 2 done, 0 failed\n")
        assert not [*Verification(results).findings()]
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    text = status(results)
    assert text.startswith("stopped: 2 of 4 runs done; the same command goes on\n")
    again = cli(*both)
    assert "2 trained, 2 already done" in again.stdout, again.stderr
    assert status(results) == f"no sweep is running\nin {results}: 4 done, 0 failed\n"
    assert not (results / "sweeps").exists()


def running_in(folder: Path) -> list[str]:
    """What the sweep trains now; nothing before it has begun."""
    call = CliRunner().invoke(app, ["status", str(folder), "--json"])
    found = json.loads(call.output)["sweeps"] if call.exit_code == 0 else []
    return found[0]["running"] if found else []


def test_counts_of_a_sweep_and_of_the_folder_are_told_apart(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(done(0))
    store.write(failed(1))
    store.write_skip(done(7).spec, "too few shots")
    specs = [RunSpec(head="coral", dataset="fgnet", shots=shots) for shots in range(1, 8)]
    with StatusFile(tmp_path, cells(specs)) as told:
        text = status(tmp_path)
        assert text.startswith("running: 0 of 7 runs done\n")
        assert "\n  reading data\n" in text
        for cell in cells(specs):
            told.on_cell(cell)
        assert "\n  and 2 more cells\n" in status(tmp_path)
    text = status(tmp_path)
    assert text == f"no sweep is running\nin {tmp_path}: 1 done, 1 failed, 1 cell skipped\n"


def test_a_folder_without_records_and_sweeps_is_refused(tmp_path: Path) -> None:
    call = CliRunner().invoke(app, ["status", str(tmp_path / "nowhere")])
    assert isinstance(call.exception, StoreError)
    assert "no records in" in str(call.exception)


def test_no_torch_is_loaded(tmp_path: Path) -> None:
    Store(tmp_path).write(done(0))
    program = (
        "import sys, ordbench.cli.main as m;"
        f"sys.argv = ['ordbench', 'status', {str(tmp_path)!r}];"
        "m.main(); print('torch' in sys.modules)"
    )
    got = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert got.stdout.endswith("\nFalse\n"), got.stderr
