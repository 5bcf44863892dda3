"""Long tail: training images become fewer from rank to rank, exponentially.

Source: Cao et al. (2019). Learning imbalanced datasets with label-distribution-aware margin loss.
https://arxiv.org/abs/1906.07413
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

from ordbench.errors import SpecError
from ordbench.protocol import Parts
from ordbench.splits.fewer_images import FewerImages
from ordbench.splits.folds import by_rank, largest_rank


class LongTail(FewerImages):
    """Of rank i at most n_i = n_max * ratio ** (-i / (K - 1)) images train.

    n_max is the number of training images of the largest rank, and n_i is rounded down, but not
    below one. As in the source, the order of the ranks is that of rarity: rank 0 may keep n_max
    images, and the last rank a ``ratio``-th of it. A rank that has fewer keeps what it has. Which
    images are kept is drawn by the data seed. Validation and test images stay.

    Args:
        ratio: n_max by the number of the last rank.

    Raises:
        SpecError: If it is not above 1.
    """

    title: ClassVar[str] = "the higher the rank, the fewer training images (ratio=100)"
    source: ClassVar[str] = (
        "Cao et al. (2019). Learning imbalanced datasets with label-distribution-aware margin "
        "loss. https://arxiv.org/abs/1906.07413"
    )
    purpose: ClassVar[str] = "long-tail"

    def __init__(self, *, ratio: float) -> None:
        if ratio <= 1:
            raise SpecError(f"protocol long-tail: ratio={ratio} must be above 1")
        self.ratio = ratio

    def left(self, every: Parts, num_ranks: int, salt: Sequence[str]) -> Parts:
        """See `FewerImages.left`."""
        sizes = long_tail(largest_rank(every.train), num_ranks, self.ratio)
        ranks = by_rank(every.train, *salt).items()
        return every._replace(train=[s for rank, found in ranks for s in found[: sizes[rank]]])


def long_tail(largest: int, num_ranks: int, ratio: float) -> list[int]:
    """How many images each rank may keep.

    >>> long_tail(5000, 10, 100)
    [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]
    """
    shares = (ratio ** (-rank / (num_ranks - 1)) for rank in range(num_ranks))
    # A power may be too small by a rounding error: 49.999... is 50.
    return [max(math.floor(largest * share + 1e-9), 1) for share in shares]
