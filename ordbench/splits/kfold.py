"""k folds by hash, whatever folds and parts are official; validation selects the step."""

from __future__ import annotations

from typing import ClassVar

from ordbench.dataset import Samples
from ordbench.errors import SpecError
from ordbench.protocol import Parts, SplitProtocol
from ordbench.splits.folds import folds_by_hash
from ordbench.splits.standard import fold_pools, train_and_val


class KFold(SplitProtocol):
    """Each fold is tested once; all images of one person are in one fold.

    Folds are made by hash, so that ``folds=5`` divides a dataset that has no official
    folds as ``standard`` does. Official folds and parts are not used. Few-shot sets and validation
    images are drawn from the other folds as ``standard`` draws them.

    Args:
        folds: Number of folds. ``--fold all`` tests each of them, ``--fold 0`` the first alone.

    Raises:
        SpecError: If there are fewer than 2.
    """

    title: ClassVar[str] = "k folds by hash, not the official ones (folds=10)"
    source: ClassVar[str] = (
        "Stone (1974). Cross-validatory choice and assessment of statistical predictions. "
        "JRSS B 36(2), 111-147. https://doi.org/10.1111/j.2517-6161.1974.tb00994.x"
    )

    def __init__(self, *, folds: int) -> None:
        if folds < 2:
            raise SpecError(f"protocol kfold: folds={folds} must be at least 2")
        self.folds = self._number = folds

    def parts(
        self, listing: Samples, *, dataset: str, fold: int, shots: int | None, data_seed: int
    ) -> Parts:
        """See `SplitProtocol.parts`."""
        key = ("kfold", self._number, dataset)
        fold_of = listing.kept.get(key, lambda: self._folds(listing, dataset))
        pools = listing.kept.get(
            (*key, fold),
            lambda: fold_pools(listing, dataset, fold, fold_of, range(self._number)),
        )
        return Parts(*train_and_val(pools, dataset, fold, shots, data_seed), pools.test)

    def division(self, listing: Samples) -> str:
        """See `SplitProtocol.division`."""
        return f"{self.folds} folds by hash"

    def _folds(self, listing: Samples, dataset: str) -> list[int]:
        fold_of = folds_by_hash(listing.samples, dataset, self._number)
        return [fold_of[sample.name] for sample in listing.samples]
