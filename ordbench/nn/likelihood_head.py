"""The base of heads whose scores give log-probabilities of the ranks, trained by likelihood."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor
from torch.nn import functional as F

from ordbench.nn.scored_head import ScoredHead


class LikelihoodHead(ScoredHead):
    """Maximises the likelihood of `log_pmf`. Arguments: `ScoredHead`."""

    @abstractmethod
    def log_pmf(self, outputs: Tensor) -> Tensor:
        """Log-probabilities ``(N, K)`` of the ranks, finite for all finite outputs."""

    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """Negative log-likelihood in nats."""
        return F.nll_loss(self.log_pmf(outputs), ranks, reduction="none")

    def posterior(self, outputs: Tensor) -> Tensor:
        """The probabilities ``(N, K)``, but for their rounding errors."""
        return self.log_pmf(outputs).softmax(-1)
