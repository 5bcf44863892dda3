"""The base of heads that give the probability of exceeding each rank, on its own."""

from __future__ import annotations

from torch import Tensor

from ordbench.nn.links import pmf_of_exceedance, violations
from ordbench.nn.scored_head import ScoredHead


class ExceedanceHead(ScoredHead):
    """Outputs ``(N, K - 1)`` are log-odds that the rank exceeds k. Arguments: `ScoredHead`."""

    def posterior(self, outputs: Tensor) -> Tensor:
        """Differences of the exceedance probabilities, ``(N, K)``."""
        return pmf_of_exceedance(outputs.sigmoid())

    def measures(self, outputs: Tensor) -> dict[str, float]:
        """How often they contradict one another, before they are sorted."""
        return {"violations": violations(outputs.sigmoid())}
