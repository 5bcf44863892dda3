"""mord: threshold models and rounded regressions of the library, by their class names.

Source: Pedregosa, Bach, Gramfort (2017). On the consistency of ordinal regression methods. JMLR 18.
https://arxiv.org/abs/1408.2327

Needs: the package mord (pip install 'ordbench[mord]').

Parity: agrees with mord, whose estimators it calls, on the same features. It takes no gaps: where
a rank is absent from training, threshold models are told of the others as if they were neighbours.
"""

import warnings
from typing import ClassVar, Literal

from torch import Tensor

from ordbench.head import Problem
from ordbench.nn.estimator_head import EstimatorHead
from ordbench.recipe import OptionValue
from ordbench.utils.extras import extra


class MordEstimator(EstimatorHead):
    """Fits an estimator to the features; threshold models have a posterior, regressions a point.

    Args:
        problem: See `Problem`.
        argument: Name of the class: a threshold model that counts an error with its distance
            (``LogisticAT``), as one (``LogisticIT``) or with its square (``LogisticSE``), or a
            regression, squared (``OrdinalRidge``) or absolute (``LAD``), which rounds to a rank.
        normalize: Whether features are brought to length 1 first.
        parameters: What the class takes, such as ``alpha=0.1``.

    Raises:
        SpecError: If mord is not installed, or the class takes no such parameter.
    """

    libraries: ClassVar[tuple[str, ...]] = ("mord", "scipy", "scikit-learn")

    def __init__(
        self,
        problem: Problem,
        *,
        argument: Literal["LogisticAT", "LogisticIT", "LogisticSE", "OrdinalRidge", "LAD"],
        normalize: bool = False,
        **parameters: OptionValue,
    ) -> None:
        kind = getattr(extra("mord"), argument)
        super().__init__(problem, kind, parameters, normalize=normalize)

    def fit(self, features: Tensor, ranks: Tensor) -> None:
        """Fit the estimator to features ``(N, D)`` and ranks ``(N,)``."""
        with warnings.catch_warnings():
            # mord switches off the printing of scipy's solver by an option that has no effect.
            warnings.filterwarnings("ignore", message=r".*\bdisp\b")
            super().fit(features, ranks)
