from __future__ import annotations

import pytest

from ordbench.dataset import Samples
from ordbench.errors import SpecError
from tests.reference.photos import LISTING, RANKS, counts, drawn


def test_folds_by_hash_are_those_of_standard() -> None:
    for fold in range(5):
        for shots in (None, 4):
            five = drawn("kfold:folds=5", fold=fold, shots=shots)
            assert five.hash == drawn("standard", fold=fold, shots=shots).hash
            assert five.division == "5 folds by hash"


def test_every_image_is_tested_in_one_of_ten_folds() -> None:
    tests = [drawn("kfold:folds=10", fold=fold).test for fold in range(10)]
    assert sorted(name for test in tests for name in test) == sorted(RANKS)
    assert max(map(len, tests)) - min(map(len, tests)) < 20
    with pytest.raises(SpecError, match=r"x has no fold 10; available: 0, 1, .*9$"):
        drawn("kfold:folds=10", fold=10)


def test_official_parts_are_not_used() -> None:
    parted = [s._replace(part="train" if s.rank else "test") for s in LISTING.samples]
    listing = Samples(task=LISTING.task, samples=tuple(parted))
    split = drawn("kfold:folds=10", listing, fold=9)
    assert len(counts(split.test)) == 7


def test_one_fold_is_refused() -> None:
    with pytest.raises(SpecError, match="protocol kfold: folds=1 must be at least 2"):
        drawn("kfold:folds=1")
