import os
import subprocess
import sys
from pathlib import Path

import pytest

from ordbench.utils import live_processes
from ordbench.utils.live_processes import is_running, start_of

NO_PROGRAM = ["-c", "input()"]


def test_a_process_runs_until_it_ends_and_a_zombie_runs_no_more() -> None:
    with subprocess.Popen([sys.executable, *NO_PROGRAM], stdin=subprocess.PIPE) as process:
        start = start_of(process.pid)
        assert is_running(process.pid, start)
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # dead, and not yet reaped
        assert is_running(process.pid, start) is (not start)
        process.wait()
        assert is_running(process.pid, start) is False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="starts are known on Linux only")
def test_a_number_that_was_given_again_is_another_process() -> None:
    assert start_of(os.getpid()).isdecimal()
    assert is_running(os.getpid(), "1") is False


def test_without_starts_the_number_must_do_and_other_systems_are_not_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(live_processes, "_PROC", tmp_path)
    assert start_of(os.getpid()) == ""
    assert is_running(os.getpid(), "") is True
    monkeypatch.setattr(os, "name", "nt")
    monkeypatch.setattr(os, "kill", None)
    assert is_running(os.getpid(), "") is None
