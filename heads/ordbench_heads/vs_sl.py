"""VS-SL: scores that rise with the rank; the rank whose score is nearest to 0 is the likeliest.

Source: Yamasaki (2022). Unimodal likelihood models for ordinal data. TMLR.
https://openreview.net/forum?id=1l0sClLiPc

Parity: agrees with the code of Cardoso, Cruz and Albuquerque (2023) in the loss, the V-shaped
function being the square. Not official: it was not checked against code of the author's; steps of
more than e^10 are linear in the score, and training starts from a wide peak in the middle.
"""

from typing import ClassVar, Literal

from torch import Tensor

from ordbench.head import Problem
from ordbench.nn import LikelihoodHead
from ordbench.nn.links import rising_scores, rising_start, start_slope
from ordbench.recipe import Recipe


class VsSl(LikelihoodHead):
    """Softmax of minus the squares of rising scores; always unimodal. Options: `ScoredHead`."""

    recipe: ClassVar[Recipe] = Recipe(learning_rate=3e-3, weight_decay=1e-2)

    def __init__(
        self,
        problem: Problem,
        *,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
    ) -> None:
        num_ranks = problem.task.num_ranks
        start = rising_start(num_ranks, start_slope(num_ranks) / 2**0.5)
        super().__init__(problem, num_ranks, hidden=hidden, class_weight=class_weight, bias=start)

    def log_pmf(self, outputs: Tensor) -> Tensor:
        """Log-softmax of minus the squared rising scores."""
        return (-rising_scores(outputs).square()).log_softmax(-1)
