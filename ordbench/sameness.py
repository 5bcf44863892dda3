"""Whether two modules hold the same, parameters and buffers apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import cast

import torch
from torch import Tensor, nn

_STACKED = frozenset({"_parameters", "_buffers"})
_WHOLE = (FunctionType, BuiltinFunctionType, MethodType, type)


def first_difference(one: nn.Module, other: nn.Module) -> str | None:
    """The attribute in which two modules of one class differ, such as ``encode.layout``, or None.

    Parameters and buffers may differ. What cannot be looked into, such as a lambda, differs unless
    it is one and the same object or says that it is equal.

    >>> one, other = nn.Linear(2, 3), nn.Linear(2, 3)
    >>> first_difference(one, other)
    >>> one.scale, other.scale = torch.ones(2), torch.zeros(2)
    >>> first_difference(one, other)
    'scale'
    """
    return _differing(one, other, "", set())


def _differing(one: object, other: object, path: str, seen: set[tuple[int, int]]) -> str | None:
    if one is other or (id(one), id(other)) in seen:
        return None
    if type(one) is not type(other):
        return path
    if isinstance(one, Tensor):
        same = one.shape == cast(Tensor, other).shape and torch.equal(one, cast(Tensor, other))
        return None if same else path
    seen.add((id(one), id(other)))
    mine, others = _content(one), _content(other)
    if mine is None or others is None:
        return None if _equal(one, other) else path
    if mine.keys() != others.keys():
        return path
    inner = (
        _differing(value, others[name], f"{path}.{name}".lstrip("."), seen)
        for name, value in mine.items()
    )
    return next((found for found in inner if found is not None), None)


def _content(thing: object) -> Mapping[object, object] | None:
    """What a thing consists of, by name; None for what has no parts."""
    if isinstance(thing, nn.Module):
        parts = {name: part for name, part in vars(thing).items() if name not in _STACKED}
        return {**parts.pop("_modules"), **parts}
    if isinstance(thing, Mapping):
        return cast("Mapping[object, object]", thing)
    if isinstance(thing, Sequence) and not isinstance(thing, str | bytes):
        return dict(enumerate(cast("Sequence[object]", thing)))
    if isinstance(thing, _WHOLE) or not getattr(thing, "__dict__", None):
        return None
    return cast("Mapping[object, object]", vars(thing))


def _equal(one: object, other: object) -> bool:
    try:
        return bool(one == other)
    except (TypeError, ValueError, RuntimeError):  # arrays, for one, do not say yes or no
        return False
