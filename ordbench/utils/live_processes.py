"""Whether a process still runs, told from another one that was given the same number later."""

from __future__ import annotations

import os
from pathlib import Path

_PROC = Path("/proc")


def start_of(pid: int) -> str:
    """When a process began, in the kernel's ticks; empty if it is gone or not known here."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return ""
    # The name of the program stands in parentheses and may hold spaces.
    state, *fields = stat.rpartition(")")[2].split()
    return "" if state in "ZX" else fields[18]  # a zombie runs no more


def is_running(pid: int, start: str) -> bool | None:
    """Whether the process of that number and `start_of` runs on this machine; None if not known.

    >>> is_running(os.getpid(), start_of(os.getpid())) in {True, None}
    True
    """
    if start:
        return start_of(pid) == start
    if os.name != "posix":
        return None  # to ask Windows by `os.kill` would end the process
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is another user's
    return True
