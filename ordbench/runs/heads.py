"""Heads by name, and their errors with it: a head does not know what it is called."""

from __future__ import annotations

from collections.abc import Mapping

from ordbench.errors import OrdbenchError
from ordbench.head import BaseHead, Problem
from ordbench.plugins.registry import HEADS
from ordbench.recipe import OptionValue


def create_head(name: str, problem: Problem, options: Mapping[str, OptionValue]) -> BaseHead:
    """An untrained head.

    Args:
        name: Its registered name.
        problem: What it is told.
        options: Its options.

    Raises:
        OrdbenchError: If it cannot be, with its name in front.
    """
    head_class = HEADS[name]
    try:
        head = head_class(problem, **options)
    except OrdbenchError as error:
        raise type(error)(f"head {name}: {error}") from error
    head.typed_name = name
    return head
