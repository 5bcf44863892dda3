"""A base of protocols that divide as ``standard`` does, and train on fewer of the images."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from ordbench.dataset import Samples
from ordbench.protocol import Parts
from ordbench.splits.standard import Pools, Standard, test_pools, train_and_val


class FewerImages(Standard):
    """The standard division of all images, of which some are left out.

    Which ones is drawn from the data seed. Few-shot sets are drawn from what is left, and their
    validation images from what is left of the validation images of all images.

    Attributes:
        purpose: A word by which the draws of two protocols differ.
    """

    seeded: ClassVar[bool] = True
    purpose: ClassVar[str]

    def parts(
        self, listing: Samples, *, dataset: str, fold: int, shots: int | None, data_seed: int
    ) -> Parts:
        """See `SplitProtocol.parts`."""
        salt = (dataset, self.purpose, str(data_seed), str(fold))

        def pools() -> Pools:
            tested = test_pools(listing, dataset, fold)
            every = Parts(*train_and_val(tested, dataset, fold, None, data_seed), tested.test)
            return Pools(*self.left(every, listing.task.num_ranks, salt))

        left = listing.kept.get((*vars(self).values(), *salt), pools)
        return Parts(*train_and_val(left, dataset, fold, shots, data_seed), left.test)

    @abstractmethod
    def left(self, every: Parts, num_ranks: int, salt: Sequence[str]) -> Parts:
        """What is left of all images.

        Args:
            every: The division of all images.
            num_ranks: K.
            salt: Of the hashes that draw.

        Raises:
            SpecError: If the options do not fit the dataset.
        """
