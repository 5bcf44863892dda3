"""What came of checks, and where: the line of the plug-in, not that of the check."""

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from ordbench.testing.verdicts import verdicts

PLUGIN = """
class Plugin:
    def half(self, number):
        return 1 / number
"""


def passes(plugin: Any) -> str | None:  # noqa: ANN401 - of a module that is not there yet
    assert plugin.half(2) == 0.5
    return None


def does_not_apply(plugin: object) -> str | None:
    return "it is a plug-in"


def is_wrong(plugin: object) -> str | None:
    raise AssertionError("it is\n  wrong")


def leaves(plugin: object) -> str | None:
    raise SystemExit(3)


def divides_by_zero(plugin: Any) -> str | None:  # noqa: ANN401 - as above
    plugin.half(0)
    return None


def test_each_check_is_run_whatever_came_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "some_plugin.py").write_text(PLUGIN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    plugin = import_module("some_plugin").Plugin
    checks: list[Callable[[Any], str | None]]
    checks = [divides_by_zero, is_wrong, leaves, does_not_apply, passes]
    found = list(verdicts({check.__name__: check for check in checks}, plugin(), plugin))
    del sys.modules["some_plugin"]
    assert [one[:4] for one in found] == [
        (
            "divides_by_zero",
            "failed",
            "ZeroDivisionError: division by zero",
            "some_plugin.py:4",
        ),
        ("is_wrong", "failed", "it is wrong", "some_plugin.py:2"),
        ("leaves", "failed", "SystemExit: 3", "some_plugin.py:2"),
        ("does_not_apply", "skipped", "it is a plug-in", ""),
        ("passes", "ok", "", ""),
    ]
    assert all(one.seconds >= 0 for one in found)
