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
from ordbench.plugins.options import takes_argument
from ordbench.plugins.reference import PluginRef
from ordbench.plugins.registry import HEADS, Registry
from ordbench.utils.text import did_you_mean, items

logger = logging.getLogger(__name__)


def chosen(texts: Iterable[str], known: Registry[Any]) -> list[PluginRef]:
    """The choices that were typed, with ``all`` and globs replaced by what is installed.

    Raises:
        SpecError: If nothing matches a glob.
    """
    found: dict[str, PluginRef] = {}
    for text in items(texts):
        choice = PluginRef.parse(text)
        names = _matching(choice, known) if is_pattern(choice.name) else [choice.name]
        if not names:
            raise SpecError(f"no {known.kind} matches {text!r}; {did_you_mean(text, known)}")
        for name in names:
            found.setdefault(str(replace(choice, name=name)), replace(choice, name=name))
    return list(found.values())


def is_pattern(name: str) -> bool:
    """Whether it may mean several.

    >>> is_pattern("all"), is_pattern("*clip"), is_pattern("coop")
    (True, True, False)
    """
    return name == "all" or re.search(r"[*?[]", name) is not None


def _matching(pattern: PluginRef, known: Registry[Any]) -> list[str]:
    """What is installed and can be used as it is; the rest is left out with a line each."""
    every = pattern.name == "all"
    working: list[str] = []
    for name in known if every else fnmatch.filter(known, pattern.name):
        try:
            plugin = known[name]
        except BrokenPluginError as error:
            _leave_out(str(error))
            continue
        argument = getattr(getattr(plugin, "card", None), "argument", "")
        if known is HEADS and takes_argument(plugin):
            argument = "ARGUMENT"
        if argument and not pattern.argument:
            _leave_out(f"{known.kind} {name!r} needs an argument; name it as {name}:{argument}")
        else:
            working.append(name)
    return working


@cache
def _leave_out(problem: str) -> None:
    """Say it once: names are looked up when a sweep is checked, and again when it is expanded."""
    logger.warning("left out: %s", problem)
