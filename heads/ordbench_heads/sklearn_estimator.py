"""scikit-learn: any classifier or regressor of the library, by its class name.

Source: Pedregosa et al. (2011). Scikit-learn: machine learning in Python. JMLR 12.
https://jmlr.org/papers/v12/pedregosa11a.html

Parity: agrees with scikit-learn, whose estimators it calls, on the same features.
"""

import inspect
from typing import ClassVar

import torch
from sklearn.base import is_classifier
from sklearn.utils import all_estimators
from threadpoolctl import threadpool_limits
from torch import Tensor
from torch.nn import functional as F

from ordbench.errors import SpecError
from ordbench.head import BaseHead, Prediction, Problem, median_rank
from ordbench.recipe import OptionValue
from ordbench.utils.text import did_you_mean

PROBABILITY_FLOOR = 1e-6  # in the loss: a rank that the estimator holds impossible


class SklearnEstimator(BaseHead):
    """Fits an estimator to the features; a classifier has a posterior, a regressor a point.

    A rank that no training image shows has probability 0. The train seed is the estimator's
    ``random_state``, where it takes one.

    Args:
        problem: See `Problem`.
        argument: Name of the class, such as ``LogisticRegression`` or ``RidgeCV``.
        normalize: Whether features are brought to length 1 first.
        parameters: What the class takes, such as ``C=10``.

    Raises:
        SpecError: If scikit-learn has no such estimator, or it takes no such parameter.
    """

    iterative: ClassVar[bool] = False
    batchable: ClassVar[bool] = False

    def __init__(
        self, problem: Problem, *, argument: str, normalize: bool = False, **parameters: OptionValue
    ) -> None:
        super().__init__(problem)
        known = dict(all_estimators(type_filter=["classifier", "regressor"]))
        if argument not in known:
            raise SpecError(f"unknown estimator {argument!r}; {did_you_mean(argument, known)}")
        estimator = known[argument]
        takes = inspect.signature(estimator).parameters
        if unknown := sorted(parameters.keys() - takes.keys()):
            raise SpecError(
                f"{argument} has no option {unknown[0]!r}; {did_you_mean(unknown[0], takes)}"
            )
        if "random_state" in takes:
            parameters.setdefault("random_state", int(torch.initial_seed() % 2**32))
        self.normalize = normalize
        self.estimator = estimator(**parameters)
        if is_classifier(self.estimator) and not hasattr(self.estimator, "predict_proba"):
            raise SpecError(
                f"{argument} gives no probabilities; take another classifier, or "
                "probability=true where the class has it"
            )

    def fit(self, features: Tensor, ranks: Tensor) -> None:
        """Fit the estimator to features ``(N, D)`` and ranks ``(N,)``."""
        with threadpool_limits(1):  # sums split over threads change in the last bit
            self.estimator.fit(self._input(features), ranks.cpu().numpy())

    def forward(self, features: Tensor) -> Tensor:
        """Probabilities ``(N, K)`` of a classifier, or estimates ``(N,)`` of a regressor."""
        with threadpool_limits(1):
            if not is_classifier(self.estimator):
                estimates = torch.as_tensor(self.estimator.predict(self._input(features)))
                return estimates.reshape(len(features)).to(features)
            seen = torch.as_tensor(self.estimator.predict_proba(self._input(features)))
        posterior = features.new_zeros(len(features), self.num_ranks)
        posterior[:, torch.as_tensor(self.estimator.classes_)] = seen.to(features)
        return posterior

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """The likelihood's loss in nats, or the absolute error; nothing is trained with it."""
        if outputs.ndim == 1:
            return F.l1_loss(outputs, ranks.to(outputs.dtype))
        return F.nll_loss(outputs.clamp_min(PROBABILITY_FLOOR).log(), ranks)

    def predict(self, outputs: Tensor) -> Prediction:
        """The posterior and its median rank, or the estimates, kept within 0 to K - 1."""
        if outputs.ndim == 1:
            return Prediction(outputs.clamp(0, self.num_ranks - 1))
        return Prediction(median_rank(outputs), outputs)

    def _input(self, features: Tensor) -> object:
        scaled = F.normalize(features, dim=1) if self.normalize else features
        return scaled.float().cpu().numpy()
