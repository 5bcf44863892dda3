"""Replicas of one head, called as one batched model, or one by one where they cannot be."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from functools import cache

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from ordbench.errors import BrokenPluginError
from ordbench.head import BaseHead
from ordbench.training.hidden_state import change_of_a_call, first_difference
from ordbench.training.optim import State
from ordbench.utils.random_numbers import seeded
from ordbench.utils.text import one_line

logger = logging.getLogger(__name__)


class _Objective(nn.Module):
    """Head and loss in one call, so that a loss may use the head's parameters."""

    method = "loss"

    def __init__(self, head: BaseHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, features: Tensor, ranks: Tensor) -> Tensor:
        loss: Tensor = getattr(self.head, self.method)(self.head(features), ranks)
        if loss.shape != ():
            raise BrokenPluginError(
                f"head {self.head.typed_name}: {self.method} must return a scalar, got shape "
                f"{tuple(loss.shape)}; average it over the images"
            )
        return loss


class _FirstObjective(_Objective):
    """The loss of the first of two stages."""

    method = "first_loss"


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
        self.alone = not heads[0].batchable
        self.states = [_trainable(head) for head in heads]
        self.go_on_with(range(len(heads)))

    def probe(self, features: Tensor, ranks: Tensor) -> None:
        """Call the heads one by one from now on if a call changes more than it returns.

        Args:
            features: ``(N, D)``, a first batch.
            ranks: ``(N,)``.

        Raises:
            BrokenPluginError: If it changes what is not saved with the best step.
        """
        change = change_of_a_call(self.heads[0], features, ranks)
        if change and not self.alone:
            self._leave_batch(change)

    def _leave_batch(self, why: str) -> None:
        self.alone = True
        _warn(self.heads[0].typed_name, why, "write batchable = False in its class")

    def go_on_with(self, active: Iterable[int]) -> None:
        """Call these heads from now on; the others cost nothing more."""
        self.active = list(active)
        stacked = [self.active] if self.alike else [[r] for r in self.active]
        self.groups = [(g, _stack([_constant(self.heads[r]) for r in g])) for g in stacked]

    def losses(
        self, features: Tensor, ranks: Tensor, *, step: int, first_stage: bool = False
    ) -> Tensor:
        """The loss ``(R,)`` of each head on features ``(R, N, D)`` and ranks ``(R, N)``."""
        return self._call(_FirstObjective if first_stage else _Objective, step, features, ranks)

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
        if self.alone:
            rows = zip(self.active, *inputs, strict=True)
            return torch.stack([self._call_alone(part, step, r, *row) for r, *row in rows])
        sizes = [len(group) for group, _ in self.groups]
        rows = zip(*(torch.split(one, sizes) for one in inputs), strict=True)
        groups = zip(self.groups, rows, strict=True)
        try:
            return torch.cat([self._call_stacked(part, *group, *row) for group, row in groups])
        except RuntimeError as error:
            if "vmap" not in str(error):
                raise
            flow = "data-dependent control flow" in str(error)
            self._leave_batch("it has an if on a tensor" if flow else one_line(error))
        return self._call(part, step, *inputs)

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
        with seeded(self.seeds[r] * 2**20 + step, row[0].device):
            output: Tensor = part(self.heads[r])(*row)
            return output


def _kept_apart(heads: Sequence[BaseHead]) -> bool:
    """Whether a head holds something of its own that is neither parameter nor buffer."""
    for other in heads[1:]:
        if difference := first_difference(heads[0], other):
            why = f"its {difference} is not the same for all seeds and no buffer"
            _warn(heads[0].typed_name, why, "register it as a buffer")
            return True
    return False


@cache
def _warn(head: str, why: str, advice: str) -> None:
    logger.warning(
        "head %s: %s, so its seeds are trained one by one, which is slower; %s",
        head,
        why,
        advice,
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
