"""DLDL-v2: a normal distribution around the rank to learn, and the mean's absolute error.

Source: Gao, Zhou, Wu, Geng (2018). Age estimation using expectation of label distribution
learning. IJCAI 2018. https://doi.org/10.24963/ijcai.2018/99

Parity: agrees with a golden value of the code of Paplham and Franc (2024). Not official: the
authors' repository holds no training code; for few ranks, the deviation is less than 2.
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor

from ordbench.head import Problem
from ordbench.recipe import SearchSpace
from ordbench_heads.soft_labels import DLDL


class DLDLv2(DLDL):
    """DLDL with a second loss.

    Args:
        problem: See `Problem`.
        mean_weight: Weight of the mean's absolute error, in rank steps.
        sigma: As in `DLDL`.
    """

    search: ClassVar[SearchSpace] = {**DLDL.search, "mean_weight": (1.0, 0.1, 0.3, 3.0)}

    def __init__(
        self,
        problem: Problem,
        *,
        mean_weight: float = 1.0,
        sigma: float | None = None,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
    ) -> None:
        super().__init__(problem, sigma=sigma, hidden=hidden, class_weight=class_weight)
        self.mean_weight = mean_weight

    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """Cross-entropy, plus the weighted distance of the mean from the rank."""
        positions = torch.arange(self.num_ranks, dtype=outputs.dtype, device=outputs.device)
        mean = (outputs.softmax(-1) * positions).sum(1)
        return super().losses(outputs, ranks) + self.mean_weight * (mean - ranks).abs()
