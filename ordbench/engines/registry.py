"""The engines by name, as ``--engine NAME[:KEY=VALUE]`` selects them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from ordbench.engines.base import Engine
from ordbench.engines.local import local_engine
from ordbench.engines.ray import ray_engine
from ordbench.errors import SpecError
from ordbench.plugins.options import resolve
from ordbench.plugins.reference import PluginRef
from ordbench.runs.resources import Resources

ENGINES: dict[str, Callable[..., AbstractContextManager[Engine]]] = {
    "local": local_engine,
    "ray": ray_engine,
}
"""Each is called with the resources, the number of jobs or None, and its own options."""


def open_engine(
    text: str, resources: Resources, jobs: int | None = None
) -> AbstractContextManager[Engine]:
    """The engine that ``--engine`` names; its workers end with the context.

    Args:
        text: ``NAME[:KEY=VALUE]``.
        resources: Where datasets, features and text towers come from.
        jobs: Worker processes; None for the engine's own default.

    Raises:
        SpecError: If there is no such engine, or it does not take an option.
    """
    factory, options = _looked_up(text)
    return factory(resources, jobs, **options)


def check_engine(text: str) -> None:
    """Refuse an engine that `open_engine` could not open.

    Raises:
        SpecError: As `open_engine`.
    """
    _looked_up(text)


def _looked_up(text: str) -> tuple[Callable[..., AbstractContextManager[Engine]], dict[str, Any]]:
    ref = PluginRef.parse(text)
    if ref.name not in ENGINES:
        raise SpecError(f"--engine {ref.name}: wanted {' or '.join(ENGINES)}")
    if ref.argument:
        raise SpecError(
            f"--engine {text}: {ref.argument!r} is not KEY=VALUE; write a value that holds a colon "
            f'in double quotes: {ref.name}:KEY="HOST:PORT"'
        )
    factory = ENGINES[ref.name]
    return factory, resolve(factory, ref.options, owner=f"engine {ref.name!r}")
