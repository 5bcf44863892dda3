"""One person or group is tested, all others train; validation selects the step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from ordbench.dataset import Samples
from ordbench.errors import DatasetError
from ordbench.protocol import Parts, SplitProtocol
from ordbench.splits.folds import groups_of
from ordbench.splits.standard import Pools, fold_pools, train_and_val


class LeaveOneGroupOut(SplitProtocol):
    """Fold N tests group N of the groups in the order of their names (leave one person out).

    Official folds and parts are not used. Few-shot sets and validation images are drawn from the
    other groups as ``standard`` draws them. Where a dataset's official folds hold one person each,
    as those of FG-NET do, ``standard`` is the same.
    """

    title: ClassVar[str] = "each fold tests one person or group"
    source: ClassVar[str] = (
        "Geng, Zhou, Smith-Miles (2007). Automatic age estimation based on facial aging patterns. "
        "IEEE Transactions on Pattern Analysis and Machine Intelligence 29(12), 2234-2240. "
        "https://doi.org/10.1109/TPAMI.2007.70733"
    )

    def parts(
        self, listing: Samples, *, dataset: str, fold: int, shots: int | None, data_seed: int
    ) -> Parts:
        """See `SplitProtocol.parts`."""
        pools = listing.kept.get(
            ("leave-one-group-out", dataset, fold), lambda: _pools(listing, dataset, fold)
        )
        return Parts(*train_and_val(pools, dataset, fold, shots, data_seed), pools.test)

    def test_folds(self, listing: Samples, *, dataset: str) -> Sequence[int]:
        """See `SplitProtocol.test_folds`."""
        return range(len(groups_of(listing.samples)))

    def division(self, listing: Samples) -> str:
        """See `SplitProtocol.division`."""
        return "one group a fold"


def _pools(listing: Samples, dataset: str, fold: int) -> Pools:
    samples = listing.samples
    if missing := [sample.name for sample in samples if sample.group is None]:
        raise DatasetError(
            f"{dataset}: {len(missing)} images have no person or group, first {missing[0]!r}, and "
            "--protocol leave-one-group-out tests one at a time; take --protocol standard"
        )
    number = {group: place for place, group in enumerate(sorted(groups_of(samples)))}
    fold_of = [number[sample.group] for sample in samples if sample.group is not None]
    return fold_pools(listing, dataset, fold, fold_of, range(len(number)))
