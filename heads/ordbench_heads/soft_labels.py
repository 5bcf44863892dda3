"""Soft labels: cross-entropy to a distribution around the rank (SORD, DLDL and others).

Source: ``sord``: Diaz, Marathe (2019). Soft labels for ordinal regression. CVPR 2019.
https://doi.org/10.1109/CVPR.2019.00487; ``dldl``: Gao et al. (2017). Deep label distribution
learning with label ambiguity. IEEE Transactions on Image Processing 26.
https://doi.org/10.1109/TIP.2017.2689998; targets: see
`ordbench.nn.soft_labels`.

Parity: agrees with dlordinal in all targets and in SORD, and with golden values of the code of
Paplham and Franc (2024) in DLDL. Not official: for few ranks, DLDL's deviation is less than 2.
"""

from typing import ClassVar, Literal

from torch import Tensor
from torch.nn import functional as F

from ordbench.errors import SpecError
from ordbench.head import Problem
from ordbench.nn import SoftmaxHead
from ordbench.nn.soft_labels import Target, soft_labels
from ordbench.recipe import Recipe, SearchSpace


class SoftLabels(SoftmaxHead):
    """A softmax over ranks that learns a distribution around the rank.

    Args:
        problem: See `Problem`.
        target: Shape of the distribution: ``triangular`` reaches the neighbours only; ``beta`` is
            for 3 to 14 ranks, ``binomial`` for few, and ``poisson`` is all but even for many.
        spread: Width of the distribution; its meaning and default depend on the target.
            ``exponential``: exp(-d / spread), 1. ``gaussian``: standard deviation, 2 or less.
            ``triangular``: share of a neighbour, 0.05. ``geometric``: share of all others, 0.1.
        power: Of the distance d in ``exponential``.

    Raises:
        SpecError: If the target is not defined for so many ranks or with this spread.
    """

    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-2, weight_decay=1e-2)
    search: ClassVar[SearchSpace] = {"target": ("exponential", "gaussian", "triangular")}
    labels: Tensor

    def __init__(
        self,
        problem: Problem,
        *,
        target: Target = "exponential",
        spread: float | None = None,
        power: float = 1.0,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
    ) -> None:
        super().__init__(problem, hidden=hidden, class_weight=class_weight)
        labels = soft_labels(self.num_ranks, target, spread, power)
        self.register_buffer("labels", labels.float(), persistent=False)

    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """Cross-entropy to the rank's distribution, in nats."""
        targets = self.labels[ranks].to(outputs.dtype)
        return F.cross_entropy(outputs, targets, reduction="none")


class SORD(SoftLabels):
    """Learns a softmax of the distances to the rank, times ``-alpha``.

    Args:
        problem: See `Problem`.
        alpha: The higher, the narrower.
        squared: Whether distances are squared.

    Raises:
        SpecError: If ``alpha`` is not above 0.
    """

    search: ClassVar[SearchSpace] = {
        "alpha": (1.0, 0.3, 0.5, 2.0, 3.0, 4.0, 7.0),
        "squared": (False, True),
    }

    def __init__(
        self,
        problem: Problem,
        *,
        alpha: float = 1.0,
        squared: bool = False,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
    ) -> None:
        if alpha <= 0:
            raise SpecError(f"alpha={alpha} must be above 0")
        super().__init__(
            problem,
            spread=1 / alpha,
            power=2 if squared else 1,
            hidden=hidden,
            class_weight=class_weight,
        )


class DLDL(SoftLabels):
    """Learns a normal distribution around the rank.

    Args:
        problem: See `Problem`.
        sigma: Standard deviation in rank steps; ``none`` is 2, but at most (K - 1) / 8.

    Raises:
        SpecError: If ``sigma`` is not above 0.
    """

    search: ClassVar[SearchSpace] = {"sigma": (None, 0.5, 1.0, 2.0, 3.0)}

    def __init__(
        self,
        problem: Problem,
        *,
        sigma: float | None = None,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
    ) -> None:
        super().__init__(
            problem, target="gaussian", spread=sigma, hidden=hidden, class_weight=class_weight
        )
