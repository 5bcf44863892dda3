"""What a trained head says of images whose ranks nobody knows: a table of estimates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from ordbench.dataset import SkippedFile


@dataclass(frozen=True, kw_only=True)
class Estimates:
    """Estimates of N images.

    Attributes:
        images: N names: paths as given, or numbers.
        estimate: ``(N,)`` float64, in ``unit``.
        rank: ``(N,)`` int64: the rank whose value is nearest to the estimate.
        posterior: ``(N, K)`` float32; None for a head that estimates a point only.
        rank_names: K words.
        rank_values: K numbers in ``unit``.
        unit: What estimates are measured in ("years").
        decode: How the posterior became an estimate; ``point`` for a head without one.
        skipped: Images without an estimate, each with the reason.
        lower: ``(N,)`` int64: the lowest rank of an interval; None where none was asked for.
        upper: ``(N,)`` int64: the highest rank of it.
        coverage: Share of images whose true rank is to lie in their interval.
    """

    images: Sequence[str]
    estimate: NDArray[np.float64]
    rank: NDArray[np.int64]
    posterior: NDArray[np.float32] | None
    rank_names: Sequence[str]
    rank_values: Sequence[float]
    unit: str
    decode: str
    skipped: Sequence[SkippedFile] = ()
    lower: NDArray[np.int64] | None = None
    upper: NDArray[np.int64] | None = None
    coverage: float | None = None

    def __len__(self) -> int:
        return len(self.images)

    @property
    def rank_name(self) -> list[str]:
        """N words: the names of the ranks."""
        return self._names(self.rank)

    def _names(self, ranks: NDArray[np.int64]) -> list[str]:
        return [self.rank_names[int(rank)] for rank in ranks]

    @property
    def probability(self) -> NDArray[np.float32] | None:
        """``(N,)``, the posterior at the rank; None where there is no posterior."""
        if self.posterior is None:
            return None
        return self.posterior[np.arange(len(self)), self.rank]

    def columns(self) -> dict[str, Sequence[object]]:
        """By column: image, estimate, rank (its name); where known, probability and interval."""
        columns: dict[str, Sequence[object]] = {
            "image": list(self.images),
            "estimate": self.estimate.tolist(),
            "rank": self.rank_name,
        }
        if self.probability is not None:
            columns["probability"] = self.probability.tolist()
        if self.lower is not None and self.upper is not None:
            columns |= {"lower": self._names(self.lower), "upper": self._names(self.upper)}
        return columns

    def to_frame(self) -> pd.DataFrame:
        """The same table for pandas, a row an image, with the posterior as a list in each."""
        import pandas as pd

        columns = self.columns()
        if self.posterior is not None:
            columns["posterior"] = list(self.posterior)
        return pd.DataFrame(columns)
