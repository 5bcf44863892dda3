"""Replicas of one head, called as one batched model, or one by one where they cannot be."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import cast

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from ordbench.errors import BrokenPluginError
from ordbench.head import BaseHead
from ordbench.training.optim import State
from ordbench.utils.text import one_line

logger = logging.getLogger(__name__)


class _Objective(nn.Module):
    """Head and loss in one call, so that a loss may use the head's parameters."""

    def __init__(self, head: BaseHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, features: Tensor, ranks: Tensor) -> Tensor:
        loss = self.head.loss(self.head(features), ranks)
        if loss.shape != ():
            raise BrokenPluginError(
                f"head {type(self.head).__name__}: loss must return a scalar, got shape "
                f"{tuple(loss.shape)}; average it over the images"
            )
        return loss


class _Estimator(nn.Module):
    """Head and prediction in one call: positions ``(N,)`` in rank steps."""

    def __init__(self, head: BaseHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, features: Tensor) -> Tensor:
        return self.head.predict(self.head(features)).position.to(features.dtype)


class StackedHeads:
    """Heads of one class, built with the same options, that are called on stacked inputs.

    Attributes:
        states: The trained parameters of each head, by name.
        active: Places of the heads that are called.

    Args:
        heads: The heads. Only parameters and buffers can be stacked: heads that differ in more are
            each a batch of its own.
        seeds: One a head; decides the random numbers that it draws, if it draws any.
    """

    def __init__(self, heads: Sequence[BaseHead], seeds: Sequence[int]) -> None:
        self.heads = heads
        self.seeds = seeds
        self.alike = not (heads[0].batchable and _kept_apart(heads))
        self.states = [_trainable(head) for head in heads]
        self.go_on_with(range(len(heads)))

    def go_on_with(self, active: Iterable[int]) -> None:
        """Call these heads from now on; the others cost nothing more."""
        self.active = list(active)
        stacked = [self.active] if self.alike else [[r] for r in self.active]
        self.groups = [(g, _stack([_constant(self.heads[r]) for r in g])) for g in stacked]

    def losses(self, features: Tensor, ranks: Tensor, *, step: int) -> Tensor:
        """The loss ``(R,)`` of each head on features ``(R, N, D)`` and ranks ``(R, N)``."""
        return self._call(_Objective, step, features, ranks)

    @torch.no_grad()
    def positions(self, features: Tensor, *, step: int) -> Tensor:
        """Estimates ``(R, N)`` in rank steps for ``(R, N, D)``; of posteriors, the medians."""
        heads = [self.heads[r] for r in self.active]
        for head in heads:
            head.eval()
        positions = self._call(_Estimator, step, features)
        for head in heads:
            head.train()
        return positions

    def _call(self, part: type[_Objective | _Estimator], step: int, *inputs: Tensor) -> Tensor:
        """Call a part of each head on stacked inputs ``(R, N, ...)``, a row an active head."""
        if not self.heads[0].batchable:
            rows = zip(self.active, *inputs, strict=True)
            return torch.stack([self._call_alone(part, step, r, *row) for r, *row in rows])
        sizes = [len(group) for group, _ in self.groups]
        rows = zip(*(torch.split(one, sizes) for one in inputs), strict=True)
        return torch.cat(
            [
                self._call_stacked(part, group, constants, *row)
                for (group, constants), row in zip(self.groups, rows, strict=True)
            ]
        )

    def _call_stacked(
        self,
        part: type[_Objective | _Estimator],
        active: Sequence[int],
        constants: State,
        *inputs: Tensor,
    ) -> Tensor:
        """Call a part of heads that differ in parameters and buffers only."""
        module = part(self.heads[active[0]])
        stacked = _stack([self.states[r] for r in active]) | constants
        parameters = {f"head.{key}": value for key, value in stacked.items()}

        def one(state: State, *one_input: Tensor) -> Tensor:
            output: Tensor = functional_call(module, state, one_input)
            return output

        versions = {key: value._version for key, value in constants.items()}
        try:
            batched: Tensor = vmap(one)(parameters, *inputs)
        except RuntimeError as error:
            if "vmap" not in str(error):
                raise
            raise _not_batchable(module.head, one_line(error)) from error
        if changed := [key for key, value in constants.items() if value._version != versions[key]]:
            raise _not_batchable(module.head, f"it writes to its buffer {changed[0]}")
        return batched

    def _call_alone(
        self, part: type[_Objective | _Estimator], step: int, r: int, *row: Tensor
    ) -> Tensor:
        """Call a part of one head, which may change its buffers and draw random numbers."""
        torch.manual_seed(self.seeds[r] * 2**20 + step)
        output: Tensor = part(self.heads[r])(*row)
        return output


def _not_batchable(head: BaseHead, why: str) -> BrokenPluginError:
    return BrokenPluginError(
        f"head {type(head).__name__} cannot be trained as one batched model of all seeds: {why}; "
        "write batchable = False in its class"
    )


def _kept_apart(heads: Sequence[BaseHead]) -> bool:
    """Whether a head holds something of its own that is neither parameter nor buffer."""
    for other in heads[1:]:
        if difference := first_difference(heads[0], other):
            _warn(type(heads[0]).__name__, difference)
            return True
    return False


@cache
def _warn(head: str, difference: str) -> None:
    logger.warning(
        "head %s: its %s is not the same for all seeds and no buffer, so they are trained one by "
        "one, which is slower; register it as a buffer",
        head,
        difference,
    )


def _trainable(head: BaseHead) -> State:
    return {k: p for k, p in head.named_parameters() if p.requires_grad}


def _constant(head: BaseHead) -> State:
    """What differs between replicas and is not trained: buffers, and frozen parameters."""
    frozen = {k: p for k, p in head.named_parameters() if not p.requires_grad}
    return dict(head.named_buffers()) | frozen


def _stack(states: Sequence[State]) -> State:
    keys = states[0] if states else ()
    return {key: torch.stack([state[key] for state in states]) for key in keys}


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
