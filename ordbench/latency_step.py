"""A training step, to be timed: forward, loss, backward and update on one batch."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from ordbench.footprint import num_bytes
from ordbench.head import Head
from ordbench.optimization import State, optimizer_of
from ordbench.recipe import Recipe


class TrainingStep:
    """A training step as a plain loop in PyTorch has it, again and again on one batch.

    `ordbench run` puts the seeds of a cell into one such step.

    Args:
        head: Is trained.
        recipe: Names the optimiser.
        features: ``(N, D)``.
        ranks: ``(N,)``, int64.

    Attributes:
        loss: The loss on the batch; what compiles it puts it here.
    """

    def __init__(self, head: Head, recipe: Recipe, features: Tensor, ranks: Tensor) -> None:
        trained: State = {name: p for name, p in head.named_parameters() if p.requires_grad}
        self.optimizer = optimizer_of([trained], [recipe])
        self.loss: Callable[[], Tensor] = partial(_loss, head, features, ranks)

    def __call__(self) -> None:
        """Make the step."""
        self.optimizer.zero_grad()
        torch.autograd.backward(self.loss())
        self.optimizer.step()

    @property
    def state_bytes(self) -> int:
        """Bytes of what the optimiser remembers from step to step."""
        states = self.optimizer.state.values()
        return num_bytes(
            value for state in states for value in state.values() if isinstance(value, Tensor)
        )


def _loss(head: Head, features: Tensor, ranks: Tensor) -> Tensor:
    return head.loss(head(features), ranks)
