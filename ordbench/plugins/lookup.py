"""A plug-in by its registered name, or by its module and class before it is packaged."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from typing import TypeVar

from ordbench.errors import UnknownPluginError
from ordbench.plugins.reference import PluginRef
from ordbench.plugins.registry import Registry
from ordbench.utils.text import did_you_mean

T = TypeVar("T")


def find_plugin(text: str, known: Registry[T]) -> tuple[T, PluginRef]:
    """What ``NAME`` or ``MODULE:CLASS``, with an argument and options behind, stands for.

    A registered name wins. Modules are looked for where Python finds them.

    Returns:
        The class, and the name, argument and options that were typed.

    Raises:
        UnknownPluginError: If there is neither such a name nor such a module.
        BrokenPluginError: If it cannot be imported or is another kind of class.
        SpecError: If an option stands twice.
    """
    ref = PluginRef.parse(text)
    if ref.name in known:
        return known[ref.name], ref
    if not _is_module(ref.name):
        raise UnknownPluginError(
            f"{text!r}: no {known.kind} and no module is called {ref.name!r}; "
            f"{did_you_mean(ref.name, known)}; write NAME, or MODULE:CLASS of a file here"
        )
    if not ref.argument:
        raise UnknownPluginError(f"{ref.name!r} is a module; write {ref.name}:CLASS")
    class_name, _, argument = ref.argument.partition(":")
    name = f"{ref.name}:{class_name}"
    offer = EntryPoint(name=name, value=name, group=known.group)
    return known.load(offer), replace(ref, name=name, argument=argument)


def _is_module(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):  # its package is missing, or is none
        return False
