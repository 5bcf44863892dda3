"""What the classes of one kind of plug-in have in common, so that others may rely on it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A base class, and the attributes that its subclasses must set.

    Attributes:
        base: Where the class is, ``MODULE:NAME``; it is imported when a plug-in is.
        called: What authors call it.
        facts: Attributes of the class, and where the class of their values is.
    """

    base: str
    called: str
    facts: Mapping[str, str] = field(default_factory=dict, hash=False)

    def fault(self, plugin: object) -> str:
        """Why a plug-in is none of this kind, in one line; empty where it is one."""
        base = _found(self.base)
        if not isinstance(plugin, type) or not issubclass(plugin, base):
            said = " ".join(repr(plugin).split())[:80]
            return f"wanted a subclass of {self.called}, got {said}"
        return _class_fault(self, plugin)


@cache
def _class_fault(contract: Contract, plugin: type) -> str:
    if inspect.isabstract(plugin):
        missing = ", ".join(sorted(getattr(plugin, "__abstractmethods__", ())))
        return f"its class {plugin.__name__} lacks {missing}"
    for name, place in contract.facts.items():
        wanted, got = _found(place), getattr(plugin, name, None)
        if not isinstance(got, wanted):
            said = "none" if got is None else " ".join(repr(got).split())[:80]
            return (
                f"its class {plugin.__name__} needs the attribute {name}, of class "
                f"{wanted.__name__}; it has {said}"
            )
    from ordbench.plugins.options import option_fault  # pydantic, which no table needs

    return option_fault(plugin)


def _found(place: str) -> Any:  # noqa: ANN401 - a class, named by text
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
