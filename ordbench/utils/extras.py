"""Packages that ordbench does not need, but one of its parts does, and what their classes take."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from ordbench.errors import SpecError
from ordbench.utils.text import did_you_mean


def extra(module: str, name: str = "") -> Any:  # noqa: ANN401 (what a module holds has no types)
    """A module of a package that an extra brings.

    Args:
        module: The module.
        name: The extra; empty where it is called as the package.

    Raises:
        SpecError: If it is not installed.
    """
    try:
        found = import_module(module)
        if getattr(found, "__file__", None) is None:  # only a folder that is called so
            raise ModuleNotFoundError(name=module)
    except ModuleNotFoundError as error:
        extra_name = name or module.partition(".")[0]
        raise SpecError(
            f"{error.name} is not installed; run: pip install 'ordbench[{extra_name}]'"
        ) from None
    return found


def taken(kind: type, given: Iterable[str]) -> set[str]:
    """The names of what a class takes.

    Raises:
        SpecError: If it does not take one of those ``given``.
    """
    takes = inspect.signature(kind).parameters.keys()
    if unknown := sorted(set(given) - takes):
        near = did_you_mean(unknown[0], takes)
        raise SpecError(f"{kind.__name__} has no option {unknown[0]!r}; {near}")
    return {*takes}
