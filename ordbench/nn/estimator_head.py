"""The base of heads that are estimators of another library, with scikit-learn's methods."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from threadpoolctl import threadpool_limits
from torch import Tensor
from torch.nn import functional as F

from ordbench.head import BaseHead, Prediction, Problem, median_rank
from ordbench.recipe import OptionValue
from ordbench.utils.extras import taken

PROBABILITY_FLOOR = 1e-6  # in the loss: a rank that the estimator holds impossible


class EstimatorHead(BaseHead):
    """Fits an estimator to the features; one with ``predict_proba`` has a posterior, else a point.

    A rank that no training image shows has probability 0: what has a posterior is told of the
    others only, numbered from 0 on. The train seed is the ``random_state``, where there is one.

    Args:
        problem: See `Problem`.
        kind: Class of the estimator.
        parameters: What the class takes.
        normalize: Whether features are brought to length 1 first.

    Raises:
        SpecError: If the class takes no such parameter.
    """

    iterative: ClassVar[bool] = False
    batchable: ClassVar[bool] = False
    seen: Tensor

    def __init__(
        self,
        problem: Problem,
        kind: type[Any],
        parameters: Mapping[str, OptionValue],
        *,
        normalize: bool,
    ) -> None:
        super().__init__(problem)
        parameters = dict(parameters)
        if "random_state" in taken(kind, parameters):
            parameters.setdefault("random_state", int(torch.initial_seed() % 2**32))
        self.normalize = normalize
        self.estimator = kind(**parameters)
        self.has_posterior = hasattr(self.estimator, "predict_proba")
        self.register_buffer("seen", torch.zeros(0, dtype=torch.int64))

    def fit(self, features: Tensor, ranks: Tensor) -> None:
        """Fit the estimator to features ``(N, D)`` and ranks ``(N,)``."""
        self.seen = ranks.bincount().nonzero().squeeze(1)
        target = torch.bucketize(ranks, self.seen) if self.has_posterior else ranks
        # Sums split over threads change in the last bit.
        with threadpool_limits(1):
            self.estimator.fit(self._input(features), target.cpu().numpy())

    def forward(self, features: Tensor) -> Tensor:
        """Probabilities ``(N, K)``, or estimates ``(N,)``."""
        with threadpool_limits(1):
            if not self.has_posterior:
                estimates = torch.as_tensor(self.estimator.predict(self._input(features)))
                return estimates.reshape(len(features)).to(features)
            of_seen = torch.as_tensor(self.estimator.predict_proba(self._input(features)))
        posterior = features.new_zeros(len(features), self.num_ranks)
        posterior[:, self.seen] = of_seen.to(features)
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

    def kept(self) -> None:
        """Nothing: estimators are stored as pickles only, which run code when they are read."""

    def _input(self, features: Tensor) -> object:
        scaled = F.normalize(features, dim=1) if self.normalize else features
        return scaled.float().cpu().numpy()
