"""Replicas of one head, called as one batched model, or one by one where they cannot be."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from functools import cache

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from ordbench.head import Head, PointHead
from ordbench.metrics import ROUNDING
from ordbench.optimization import State
from ordbench.sameness import first_difference

logger = logging.getLogger("ordbench")


class _Objective(nn.Module):
    """Head and loss in one call, so that a loss may use the head's parameters."""

    def __init__(self, head: Head) -> None:
        super().__init__()
        self.head = head

    def forward(self, features: Tensor, ranks: Tensor) -> Tensor:
        return self.head.loss(self.head(features), ranks)


class _Estimator(nn.Module):
    """Head and decode in one call: positions ``(N,)`` in rank steps."""

    def __init__(self, head: Head) -> None:
        super().__init__()
        self.head = head

    def forward(self, features: Tensor) -> Tensor:
        outputs = self.head(features)
        if isinstance(self.head, PointHead):
            return self.head.estimate(outputs)
        reached = self.head.posterior(outputs).cumsum(-1) >= 0.5 - ROUNDING
        return (~reached).sum(-1).to(features.dtype)


class Batched:
    """Heads of one class, built with the same options, that are called on stacked inputs.

    Attributes:
        states: The trained parameters of each head, by name.
        active: Places of the heads that are called.

    Args:
        heads: The heads. Only parameters and buffers can be stacked: heads that differ in more are
            each a batch of its own.
        seeds: One a head; decides the random numbers that it draws, if it draws any.
    """

    def __init__(self, heads: Sequence[Head], seeds: Sequence[int]) -> None:
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

        batched: Tensor = vmap(one)(parameters, *inputs)
        return batched

    def _call_alone(
        self, part: type[_Objective | _Estimator], step: int, r: int, *row: Tensor
    ) -> Tensor:
        """Call a part of one head, which may change its buffers and draw random numbers."""
        torch.manual_seed(self.seeds[r] * 2**20 + step)
        output: Tensor = part(self.heads[r])(*row)
        return output


def _kept_apart(heads: Sequence[Head]) -> bool:
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


def _trainable(head: Head) -> State:
    return {k: p for k, p in head.named_parameters() if p.requires_grad}


def _constant(head: Head) -> State:
    """What differs between replicas and is not trained: buffers, and frozen parameters."""
    frozen = {k: p for k, p in head.named_parameters() if not p.requires_grad}
    return dict(head.named_buffers()) | frozen


def _stack(states: Sequence[State]) -> State:
    keys = states[0] if states else ()
    return {key: torch.stack([state[key] for state in states]) for key in keys}
