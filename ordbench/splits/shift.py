"""Distribution shift: the largest ranks lose most of their training images.

Source: Li et al. (2022). OrdinalCLIP: learning rank prompts for language-guided ordinal regression.
https://arxiv.org/abs/2206.02338
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import ClassVar

from ordbench.errors import SpecError
from ordbench.protocol import Parts
from ordbench.splits.fewer_images import FewerImages
from ordbench.splits.folds import by_rank


class Shift(FewerImages):
    """The ``classes`` ranks with most training images lose a share of ``samples`` of them.

    Of n images, the whole part of n * (1 - samples) is kept, and at least one; they are drawn by
    the data seed. Of ranks with equally many images the lower one counts as larger. Validation and
    test images stay. The paper's tables call these settings re-cls and re-smp: re-cls 40, re-smp 80
    is ``classes=40:samples=0.8``. The official code reduces the largest ranks, as here
    (``num_topk_scaled_class`` is ``classes``, ``scale_factor`` is 1 - samples).

    Args:
        classes: How many ranks lose images (re-cls).
        samples: Which share of their images they lose (re-smp, there in per cent).

    Raises:
        SpecError: If there is no such number of ranks, or the share is not between 0 and 1.
    """

    title: ClassVar[str] = "the largest ranks lose training images (classes=40:samples=0.8)"
    source: ClassVar[str] = (
        "Li, Huang, Zhu, Tang, Li, Zhou, Lu (2022). OrdinalCLIP: learning rank prompts for "
        "language-guided ordinal regression. NeurIPS 2022. https://arxiv.org/abs/2206.02338, shift"
    )
    purpose: ClassVar[str] = "shift"

    def __init__(self, *, classes: int, samples: float) -> None:
        if classes < 1:
            raise SpecError(f"protocol shift: classes={classes} must be at least 1")
        if not 0 < samples < 1:
            raise SpecError(f"protocol shift: samples={samples} must be above 0 and below 1")
        self.classes = classes
        self.share = 1 - Fraction(str(samples))  # 1 - 0.8 is less than 0.2 in floating point

    def left(self, every: Parts, num_ranks: int, salt: Sequence[str]) -> Parts:
        """See `FewerImages.left`."""
        ranks = by_rank(every.train, *salt)
        if self.classes > len(ranks):
            raise SpecError(
                f"protocol shift: classes={self.classes}, but {len(ranks)} ranks have training "
                "images; take fewer"
            )
        largest = sorted(ranks, key=lambda rank: (-len(ranks[rank]), rank))[: self.classes]
        for rank in largest:
            ranks[rank] = ranks[rank][: max(int(len(ranks[rank]) * self.share), 1)]
        return every._replace(train=[sample for kept in ranks.values() for sample in kept])
