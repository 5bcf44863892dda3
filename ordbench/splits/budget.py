"""A number of labelled images in all, whatever their ranks.

Source: random sampling as in Settles (2009). Active learning literature survey.
https://minds.wisconsin.edu/handle/1793/60660
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from ordbench.dataset import Samples
from ordbench.errors import SpecError
from ordbench.protocol import Parts
from ordbench.splits.fewer_images import FewerImages
from ordbench.splits.folds import VAL_SHARE, by_hash


class Budget(FewerImages):
    """N images have a label: one in eight of them validates, the others train.

    Validation needs labels, too, so that its images are part of the budget: N/8 of them, rounded
    down, and at least one, or all where there are fewer. Both are drawn at random from the images
    that train and validate in ``standard``, by the data seed. More images hold the fewer. Shots,
    which would label fewer images than that, cannot be asked for.

    Args:
        images: N, how many images have a label.

    Raises:
        SpecError: If it is less than 2, or more than there are.
    """

    title: ClassVar[str] = "N labelled images in all, an eighth of them validates (images=100)"
    source: ClassVar[str] = (
        "random sampling: Settles (2009). Active learning literature survey. "
        "https://minds.wisconsin.edu/handle/1793/60660"
    )
    purpose: ClassVar[str] = "budget"

    def __init__(self, *, images: int) -> None:
        if images < 2:
            raise SpecError(
                f"protocol budget: images={images} must be at least 2, one that trains and one "
                "that validates"
            )
        self.images = images

    def parts(
        self, listing: Samples, *, dataset: str, fold: int, shots: int | None, data_seed: int
    ) -> Parts:
        """See `SplitProtocol.parts`."""
        if shots is not None:
            raise SpecError(
                f"protocol budget: images={self.images} says how many images have a label, so "
                f"that --shots {shots} cannot; leave one of the two out"
            )
        return super().parts(listing, dataset=dataset, fold=fold, shots=shots, data_seed=data_seed)

    def left(self, every: Parts, num_ranks: int, salt: Sequence[str]) -> Parts:
        """See `FewerImages.left`."""
        num_val = min(max(self.images // VAL_SHARE, 1), len(every.val))
        num_train = self.images - num_val
        if num_train > len(every.train):
            raise SpecError(
                f"protocol budget: of images={self.images}, {num_train} train, but there are "
                f"{len(every.train)} that may; take fewer"
            )
        train, val = by_hash(every.train, *salt)[:num_train], by_hash(every.val, *salt)[:num_val]
        return Parts(train, val, every.test)
