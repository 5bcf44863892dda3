"""What a head holds or changes that would be lost where replicas are called as one model."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn

from ordbench.errors import BrokenPluginError
from ordbench.head import BaseHead
from ordbench.utils.random_numbers import seeded

_STACKED = frozenset({"_parameters", "_buffers"})
_WHOLE = (FunctionType, BuiltinFunctionType, MethodType, type)
_OWN = frozenset(vars(nn.Module()))  # what every module has: hooks, submodules and the like


class _Held(NamedTuple):
    """One buffer or attribute: the mapping in which it stands, itself, and a copy of a tensor."""

    path: str
    store: dict[str, object]
    name: str
    value: object
    copy: object

    def changed(self) -> bool:
        now = self.store.get(self.name)
        if isinstance(self.value, Tensor):
            return now is not self.value or not _same(self.value, cast(Tensor, self.copy))
        return now is not self.value and now != self.value

    def restore(self) -> None:
        if isinstance(self.value, Tensor):
            self.value.copy_(cast(Tensor, self.copy))
        self.store[self.name] = self.value


@torch.no_grad()
def change_of_a_call(head: BaseHead, features: Tensor, ranks: Tensor) -> str | None:
    """What a step or a prediction changes beside its outputs, in words, or None.

    Buffers, numbers and tensors that are attributes, and the random numbers of torch, NumPy and
    Python are looked at; afterwards all are as before.

    Args:
        head: A head in training mode.
        features: ``(N, D)``.
        ranks: ``(N,)``, int64.

    Raises:
        BrokenPluginError: If something changes that is not in the head's ``state_dict``, so that
            it would not be that of the best step when the head is tested; or if the features or
            the ranks change, so that the next call would get others.
    """
    held = [*_held(head)]
    given = {"features": features.clone(), "ranks": ranks.clone()}
    with seeded(0, features.device):
        before = _random_state(features.device)
        head.loss(head(features), ranks)
        head.eval()
        head.predict(head(features))
        head.train()
        draws = before != _random_state(features.device)
    for name, now in (("features", features), ("ranks", ranks)):
        if not _same(given[name], now):
            raise BrokenPluginError(
                f"head {head.typed_name}: it changes the {name} that it is given; write "
                f"{name} = {name} + 1, which makes new ones, and not {name}.add_(1) or {name} += 1"
            )
    changed = [one for one in held if one.changed()]
    for one in changed:
        one.restore()
    kept = head.state_dict().keys()
    if lost := [one.path for one in changed if one.path not in kept]:
        raise BrokenPluginError(
            f"head {head.typed_name}: {lost[0]} changes in training and is not saved with the "
            f"best step; register it: self.register_buffer({lost[0].rpartition('.')[2]!r}, ...)"
        )
    if changed:
        return f"its {changed[0].path} changes in training"
    return "it draws random numbers" if draws else None


def _held(head: nn.Module) -> list[_Held]:
    return [
        _Held(f"{path}.{name}".lstrip("."), store, name, value, _copy(value))
        for path, module in head.named_modules()
        for store in (vars(module)["_buffers"], vars(module))
        for name, value in store.items()
        if name not in _OWN and isinstance(value, Tensor | bool | int | float | str | None)
    ]


def _same(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors hold the same; NaN is the same as NaN."""
    return one.shape == other.shape and bool(
        ((one == other) | ((one != one) & (other != other))).all()
    )


def _copy(value: object) -> object:
    return value.clone() if isinstance(value, Tensor) else value


def _random_state(device: torch.device) -> tuple[object, ...]:
    drawn = torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()
    _, keys, *rest = np.random.get_state(legacy=True)
    return bytes(drawn.numpy()), bytes(cast("np.ndarray", keys)), *rest, random.getstate()


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
