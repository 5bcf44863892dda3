from __future__ import annotations

from dataclasses import replace

import pytest

from ordbench.errors import DatasetError, SpecError
from tests.reference.photos import LISTING, drawn


def test_fold_n_tests_person_n() -> None:
    people = [s for s in LISTING.samples if s.group]
    listing = replace(LISTING, samples=tuple(people))
    for fold in (0, 7, 39):
        split = drawn("leave-one-group-out", listing, fold=fold)
        assert set(split.test) == {s.name for s in people if s.group == f"p{fold:02}"}
        assert split.division == "one group a fold"
    with pytest.raises(SpecError, match=r"has no fold 40; available: 0, 1, .*39$"):
        drawn("leave-one-group-out", listing, fold=40, shots=1)


def test_images_of_nobody_known_are_refused() -> None:
    with pytest.raises(DatasetError, match=r"images have no person or group, first '001\.png'"):
        drawn("leave-one-group-out")
