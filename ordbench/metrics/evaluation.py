"""What a metric is computed from: true ranks, and what a head predicted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ordbench.metrics.decoding import Floats, Ranks, check_posterior, nearest_ranks


class Calibration(NamedTuple):
    """What a head says of M other images, ``(M, K)``, and their true ranks ``(M,)``."""

    posterior: Floats
    ranks: Ranks


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The truth and one head's predictions of N images.

    Attributes:
        ranks: True ranks ``(N,)``, int64 in 0..K-1.
        rank_values: K rising numbers in the dataset's unit.
        estimates: ``(N,)`` in the dataset's unit: decoded posteriors, or a head's point estimates.
        posterior: ``(N, K)``, or None for a head that has none.
        samples: N names; empty where they are not known.
        extra: N more true values by name, None where a sample has none; see `Sample.extra`.
        calibration: Of the validation images; None where it is not known.

    Raises:
        ValueError: If there are no images, shapes differ, an estimate is not finite, a rank is out
            of range, or a row of the posterior is not a probability mass function.

    >>> ranks, estimates = np.array([0, 1]), np.array([12, 40])
    >>> seen = Evaluation(ranks=ranks, rank_values=(10, 20), estimates=estimates)
    >>> seen.errors.tolist(), seen.predicted_ranks.tolist()
    ([2.0, 20.0], [0, 1])
    """

    ranks: Ranks
    rank_values: Sequence[float]
    estimates: Floats
    posterior: Floats | None = None
    samples: Sequence[str] = ()
    extra: Mapping[str, Sequence[float | str | None]] = field(
        default_factory=dict[str, Sequence[float | str | None]]
    )
    calibration: Calibration | None = None

    def __post_init__(self) -> None:
        ranks, num_ranks = self.ranks, len(self.rank_values)
        if ranks.shape != (len(self.estimates),) or not len(ranks):
            raise ValueError(
                f"ranks must be ({len(self.estimates)},) and not empty, got {ranks.shape}"
            )
        if ranks.min() < 0 or ranks.max() >= num_ranks:
            raise ValueError(
                f"ranks must lie in 0..{num_ranks - 1} (num_ranks={num_ranks}), "
                f"got {ranks.min()}..{ranks.max()}"
            )
        if not np.isfinite(self.estimates).all():
            raise ValueError("estimates must be finite, got nan or infinity")

    @cached_property
    def errors(self) -> NDArray[np.float64]:
        """Distances ``(N,)`` of the estimates from the true values, in the dataset's unit."""
        true = np.asarray(self.rank_values, np.float64)[self.ranks]
        errors: NDArray[np.float64] = np.abs(np.asarray(self.estimates, np.float64) - true)
        return errors

    @cached_property
    def predicted_ranks(self) -> NDArray[np.int64]:
        """The ranks ``(N,)`` nearest to the estimates."""
        return nearest_ranks(self.estimates, self.rank_values)

    @cached_property
    def probs(self) -> NDArray[np.float64]:
        """The posterior ``(N, K)`` in float64, with rows of sum 1.

        Raises:
            ValueError: If there is none, or it is not a probability mass function.
        """
        if self.posterior is None:
            raise ValueError("this head has no posterior")
        return check_posterior(self.posterior, len(self.rank_values))
