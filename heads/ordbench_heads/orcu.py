"""ORCU: soft labels, and a barrier against scores that fall towards the rank or rise behind it.

Source: Kim, Chung, Jang (2024). Calibration of ordinal regression networks.
https://arxiv.org/abs/2410.15658

Parity: not official: there is no code of the authors. The barrier, averaged over pairs, is that of
Kervadec et al. (2019), https://arxiv.org/abs/1904.04205, without the jump that rewritings have.
"""

from typing import ClassVar, Literal

from torch import Tensor
from torch.nn import functional as F

from ordbench.errors import SpecError
from ordbench.head import Problem
from ordbench.nn import SoftmaxHead
from ordbench.nn.losses import wrong_way
from ordbench.nn.soft_labels import soft_labels
from ordbench.recipe import Recipe, SearchSpace


def barrier(excess: Tensor, sharpness: float) -> Tensor:
    """-log(-excess) / t up to excess -1 / t^2, and from there on its tangent, whose slope is t.

    >>> import torch
    >>> barrier(torch.tensor([-1.0, 0.0]), 1.0)  # -log 1, and 1 further on the tangent
    tensor([0., 1.])
    """
    # Clamped before the logarithm: where() would give its gradient, NaN, to the tangent too.
    edge = 1 / sharpness**2
    return sharpness * (excess + edge).relu() - (-excess).clamp_min(edge).log() / sharpness


class ORCU(SoftmaxHead):
    """A softmax over ranks that learns squared-distance soft labels under a `barrier`.

    Args:
        problem: See `Problem`.
        sharpness: t of the barrier; the larger, the harder.

    Raises:
        SpecError: If ``sharpness`` is not above 0.
    """

    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-2, weight_decay=1e-2)
    search: ClassVar[SearchSpace] = {"sharpness": (3.0, 1.0, 10.0)}
    labels: Tensor

    def __init__(
        self,
        problem: Problem,
        *,
        sharpness: float = 3.0,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
    ) -> None:
        super().__init__(problem, hidden=hidden, class_weight=class_weight)
        if sharpness <= 0:
            raise SpecError(f"sharpness={sharpness} must be above 0")
        self.sharpness = sharpness
        labels = soft_labels(self.num_ranks, "exponential", power=2)
        self.register_buffer("labels", labels.float(), persistent=False)

    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """Cross-entropy to the soft label, plus the mean barrier over pairs of neighbours."""
        targets = self.labels[ranks].to(outputs.dtype)
        soft = F.cross_entropy(outputs, targets, reduction="none")
        return soft + barrier(wrong_way(outputs, ranks), self.sharpness).mean(1)
