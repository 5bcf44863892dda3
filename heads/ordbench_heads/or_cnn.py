"""OR-CNN: one binary classifier for each of the K - 1 thresholds, on shared features.

Source: Niu, Zhou, Wang, Gao, Hua (2016). Ordinal regression with multiple output CNN for age
estimation. CVPR 2016. https://doi.org/10.1109/CVPR.2016.532

Parity: agrees with coral-pytorch and with a golden value of the code of Paplham and Franc (2024)
in the loss. Not official: one output a task where the paper has a softmax of two; all tasks weigh
the same; probabilities that rise with the threshold are sorted before their differences, whose
median is the paper's estimate, the number of thresholds passed.
"""

from typing import ClassVar, Literal

from torch import Tensor

from ordbench.head import Problem
from ordbench.nn import PRIOR, ExceedanceHead
from ordbench.nn.links import even_thresholds
from ordbench.nn.losses import threshold_losses
from ordbench.recipe import Recipe, SearchSpace


class ORCNN(ExceedanceHead):
    """Rank = number of classifiers that say "higher"."""

    recipe: ClassVar[Recipe] = Recipe(learning_rate=3e-2)
    search: ClassVar[SearchSpace] = {"l2": PRIOR}

    def __init__(
        self,
        problem: Problem,
        *,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
        l2: float = 1.0,
    ) -> None:
        start = even_thresholds(problem.task.num_ranks)
        super().__init__(
            problem, len(start), hidden=hidden, class_weight=class_weight, bias=start, l2=l2
        )

    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """See `threshold_losses`."""
        return threshold_losses(outputs, ranks)
