"""The checks of one plug-in, one after another: what came of each, and where in its source."""

from __future__ import annotations

import inspect
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

from ordbench.errors import OrdbenchError
from ordbench.utils.text import one_line

LONGEST = 500  # characters of a reason
Case = TypeVar("Case")


class Verdict(NamedTuple):
    """What came of one check.

    Attributes:
        check: Its name.
        state: ``skipped`` where it does not apply.
        reason: Why it was skipped or failed, in one line.
        place: File and line of the plug-in where it failed: that of the last call, or of its class.
        seconds: How long it took.
    """

    check: str
    state: Literal["ok", "skipped", "failed"]
    reason: str
    place: str
    seconds: float


def verdicts(
    checks: Mapping[str, Callable[[Case], str | None]], case: Case, plugin: type
) -> Iterator[Verdict]:
    """Run checks one after another, whatever the plug-in raises.

    Args:
        checks: By name: `HEAD_CHECKS`, `DATASET_CHECKS` or `BACKBONE_CHECKS`.
        case: What they check.
        plugin: Its class.
    """
    for name, check in checks.items():
        start = time.perf_counter()
        try:
            skipped = check(case)
        except (Exception, SystemExit) as error:  # a plug-in may raise anything
            reason, place = _said(error), _place(error, plugin)
            yield Verdict(name, "failed", reason, place, time.perf_counter() - start)
        else:
            state: Literal["ok", "skipped"] = "skipped" if skipped else "ok"
            yield Verdict(name, state, skipped or "", "", time.perf_counter() - start)


def class_place(plugin: type) -> str:
    """File and line of a class; empty where its source cannot be read."""
    try:
        _, line = inspect.getsourcelines(plugin)
        return f"{_short(str(inspect.getsourcefile(plugin)))}:{line}"
    except (OSError, TypeError):
        return ""


def _said(error: BaseException) -> str:
    message = one_line(error, at_most=LONGEST)
    if isinstance(error, AssertionError | OrdbenchError):
        return message
    return f"{type(error).__name__}: {message}"


def _place(error: BaseException, plugin: type) -> str:
    file = class_place(plugin).rpartition(":")[0]
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if _short(frame.filename) == file
    ]
    return f"{file}:{lines[-1]}" if lines else class_place(plugin)


def _short(file: str) -> str:
    """A path as seen from the current folder."""
    path = Path(file).resolve()
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
