"""The base of heads with one score a rank, whose softmax is the posterior."""

from __future__ import annotations

from typing import Literal

from torch import Tensor

from ordbench.head import Problem
from ordbench.nn.layers import StandardizedLinear
from ordbench.nn.ordinality import ordinality
from ordbench.nn.scored_head import ScoredHead


class SoftmaxHead(ScoredHead):
    """A softmax over ranks; a subclass brings the losses. Arguments: `ScoredHead`."""

    def __init__(
        self,
        problem: Problem,
        *,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
        l2: float = 0.0,
    ) -> None:
        super().__init__(
            problem, problem.task.num_ranks, hidden=hidden, class_weight=class_weight, l2=l2
        )

    def posterior(self, outputs: Tensor) -> Tensor:
        """Softmax over the ranks, ``(N, K)``."""
        return outputs.softmax(-1)

    def measures(self, outputs: Tensor) -> dict[str, float]:
        """Whether the weights of nearer ranks are more alike, if the features are scored as is."""
        return ordinality(self.score.weight) if isinstance(self.score, StandardizedLinear) else {}
