"""The protocol of the OrdinalCLIP code: it trains on all that is not tested, and selects on test.

Source: Li et al. (2022). OrdinalCLIP: learning rank prompts for language-guided ordinal regression.
https://arxiv.org/abs/2206.02338
"""

from __future__ import annotations

from typing import ClassVar

from ordbench.dataset import Samples
from ordbench.protocol import Parts
from ordbench.splits.standard import Pools, Standard, test_pools, train_and_val


class Paper(Standard):
    """Validation images are the test images, so that its runs are never ranked."""

    title: ClassVar[str] = "trains on all that is not tested; selected on the test images"
    source: ClassVar[str] = (
        "Li, Huang, Zhu, Tang, Li, Zhou, Lu (2022). OrdinalCLIP: learning rank prompts for "
        "language-guided ordinal regression. NeurIPS 2022. https://arxiv.org/abs/2206.02338"
    )
    ranked: ClassVar[bool] = False
    validates_on_test: ClassVar[bool] = True

    def parts(
        self, listing: Samples, *, dataset: str, fold: int, shots: int | None, data_seed: int
    ) -> Parts:
        """See `SplitProtocol.parts`."""
        pools = listing.kept.get(("paper", dataset, fold), lambda: _pools(listing, dataset, fold))
        train, _ = train_and_val(pools, dataset, fold, shots, data_seed)
        return Parts(train, pools.test, pools.test)


def _pools(listing: Samples, dataset: str, fold: int) -> Pools:
    pools = test_pools(listing, dataset, fold)
    return Pools([*pools.train, *pools.val], pools.test, pools.test)
