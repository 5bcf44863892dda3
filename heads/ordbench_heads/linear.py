"""Linear probe: one linear layer, softmax, cross-entropy.

Source: the reference row of every benchmark; Radford et al. (2021). Learning transferable visual
models from natural language supervision. https://arxiv.org/abs/2103.00020, section 3.2

Parity: agrees with the formula of the cross-entropy. Not official: the paper fits scikit-learn's
logistic regression by L-BFGS; here features are centred and scaled, and AdamW takes the steps.
"""

from typing import ClassVar, Literal

from torch import Tensor
from torch.nn import functional as F

from ordbench.head import Problem
from ordbench.nn import PRIOR, SoftmaxHead
from ordbench.recipe import Recipe, SearchSpace


class Linear(SoftmaxHead):
    """Scores each rank on its own; knows nothing of their order."""

    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-2)
    search: ClassVar[SearchSpace] = {"l2": PRIOR}

    def __init__(
        self,
        problem: Problem,
        *,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
        l2: float = 1.0,
    ) -> None:
        super().__init__(problem, hidden=hidden, class_weight=class_weight, l2=l2)

    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """Cross-entropy in nats."""
        return F.cross_entropy(outputs, ranks, reduction="none")
