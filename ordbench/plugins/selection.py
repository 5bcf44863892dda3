"""What ``all`` and globs mean: the plug-ins that are installed and work."""

from __future__ import annotations

import fnmatch
import logging
import re
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

from ordbench.errors import BrokenPluginError, SpecError
from ordbench.plugins.reference import PluginRef
from ordbench.plugins.registry import Registry
from ordbench.utils.text import items

logger = logging.getLogger(__name__)


def chosen(texts: Iterable[str], known: Registry[Any]) -> list[PluginRef]:
    """The choices that were typed, with ``all`` and globs replaced by what is installed.

    Raises:
        SpecError: If nothing matches a glob.
    """
    found: dict[str, PluginRef] = {}
    for text in items(texts):
        choice = PluginRef.parse(text)
        names = _matching(choice.name, known) if is_pattern(choice.name) else [choice.name]
        if not names:
            raise SpecError(f"no {known.kind} matches {text!r}; there is: {', '.join(known)}")
        for name in names:
            found.setdefault(str(replace(choice, name=name)), replace(choice, name=name))
    return list(found.values())


def is_pattern(name: str) -> bool:
    """Whether it may mean several.

    >>> is_pattern("all"), is_pattern("*clip"), is_pattern("coop")
    (True, True, False)
    """
    return name == "all" or re.search(r"[*?[]", name) is not None


def _matching(pattern: str, known: Registry[Any]) -> list[str]:
    """What is installed and can be imported; what cannot is said in a line, and stops nothing."""
    names = list(known) if pattern == "all" else fnmatch.filter(known, pattern)
    working: list[str] = []
    for name in names:
        try:
            known[name]
        except BrokenPluginError as error:
            _leave_out(str(error))
        else:
            working.append(name)
    return working


@cache
def _leave_out(problem: str) -> None:
    """Say it once: the heads of a plan are looked up when it is read, and again for the grid."""
    logger.warning("left out: %s", problem)
