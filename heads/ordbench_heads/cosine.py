"""Cosine: a softmax of the cosines between features and one learned prototype a rank.

Source: Gidaris, Komodakis (2018). Dynamic few-shot visual learning without forgetting. CVPR 2018.
https://arxiv.org/abs/1804.09458; Chen et al. (2019). A closer look at few-shot classification.
https://arxiv.org/abs/1904.04232, where it is called Baseline++.

Parity: agrees with the formula, in plain Python. Not official: features are centred first, as
those of a frozen encoder all point nearly the same way.
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ordbench.head import Problem
from ordbench.nn import ScoredHead, StandardizedLinear
from ordbench.nn.ordinality import ordinality
from ordbench.recipe import Recipe


class Cosine(ScoredHead):
    """Multiplies the cosines by a learned scale, which starts at 10. Options: `ScoredHead`."""

    recipe: ClassVar[Recipe] = Recipe(learning_rate=3e-2)

    def __init__(
        self, problem: Problem, *, class_weight: Literal["balanced"] | None = None
    ) -> None:
        super().__init__(problem, problem.task.num_ranks, class_weight=class_weight, bias=False)
        assert isinstance(self.score, StandardizedLinear)
        nn.init.normal_(self.score.weight)
        self.scale = nn.Parameter(torch.tensor(10.0))

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to scores ``(N, K)``."""
        assert isinstance(self.score, StandardizedLinear)
        centred = F.normalize(features - self.score.feature_mean, dim=-1)
        return self.scale * (centred @ F.normalize(self.score.weight, dim=-1).T)

    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """Cross-entropy in nats."""
        return F.cross_entropy(outputs, ranks, reduction="none")

    def posterior(self, outputs: Tensor) -> Tensor:
        """Softmax over the ranks, ``(N, K)``."""
        return outputs.softmax(-1)

    def measures(self, outputs: Tensor) -> dict[str, float]:
        """Whether the weights of nearer ranks are more alike."""
        assert isinstance(self.score, StandardizedLinear)
        return ordinality(self.score.weight)

    def deployed(self) -> nn.Module:
        """The head itself: lengths are not folded into a linear layer."""
        return self
