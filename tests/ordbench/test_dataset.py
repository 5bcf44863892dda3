from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from ordbench.dataset import Dataset, DatasetCard, OfficialSplit, Sample, Samples
from ordbench.errors import DatasetError, SpecError
from ordbench.task import Task

TASK = Task(rank_names=("low", "high"), rank_values=(0, 1), unit="grade", context="it is")
A, B = Sample("a.jpg", Path("a.jpg"), 0), Sample("b.jpg", Path("b.jpg"), 1)
CARD = DatasetCard(
    title="Mine", source="me", licence="mine", how_to_get="ask me", layout="x", ranks="low, high"
)


class Mine(Dataset):
    card: ClassVar[DatasetCard] = CARD

    def read(self) -> Samples:
        return Samples(task=TASK, samples=(A, B))


class MineAt(Mine):
    card: ClassVar[DatasetCard] = replace(CARD, argument="PATH")


def test_a_name_that_stands_twice_is_refused() -> None:
    with pytest.raises(DatasetError, match=r"'a\.jpg' is listed 2 times"):
        Samples(task=TASK, samples=(A, B, A))


@pytest.mark.parametrize("rank", [-1, 2])
def test_a_rank_outside_the_task_is_refused(rank: int) -> None:
    with pytest.raises(DatasetError, match=rf"'a\.jpg' has rank {rank}; wanted 0\.\.1"):
        Samples(task=TASK, samples=(A._replace(rank=rank),))


@pytest.mark.parametrize(
    ("part", "value", "said"),
    [
        ("rank", np.int64(1), "of type int64; wanted a whole number of type int"),
        ("rank", 1.0, "has the rank 1.0, of type float"),
        ("group", 7, "has the group 7, of type int; wanted text or None"),
    ],
)
def test_a_rank_or_group_of_another_type_is_refused(part: str, value: object, said: str) -> None:
    with pytest.raises(DatasetError, match=rf"'a\.jpg' .*{said}"):
        Samples(task=TASK, samples=(A._replace(**{part: value}),))  # type: ignore[arg-type]


def test_the_fingerprint_is_of_the_labels_and_not_of_their_order() -> None:
    listing = Samples(task=TASK, samples=(A, B))
    same = Samples(task=TASK, samples=(B, A._replace(image=Path("elsewhere/a.jpg"))))
    assert listing.fingerprint == same.fingerprint
    others = [
        Samples(task=TASK, samples=(A._replace(rank=1), B)),
        Samples(task=TASK, samples=(A._replace(name="c.jpg"), B)),
        Samples(task=TASK, samples=(A._replace(extra={"deviation": 0.5}), B)),
        Samples(task=replace(TASK, rank_values=(0, 2)), samples=(A, B)),
        Samples(task=replace(TASK, context="it was"), samples=(A, B)),
    ]
    assert len({listing.fingerprint, *(other.fingerprint for other in others)}) == 6


def test_the_fingerprint_is_of_the_official_division_where_there_is_one() -> None:
    names = ("a.jpg",), ("b.jpg",)
    listings = [
        Samples(task=TASK, samples=(A, B)),
        Samples(task=TASK, samples=(A._replace(part="val"), B._replace(part="test"))),
        Samples(task=TASK, samples=(A._replace(part="test"), B._replace(part="val"))),
        Samples(task=TASK, samples=(A._replace(fold=0), B._replace(fold=1))),
        Samples(task=TASK, samples=(A._replace(group="0"), B._replace(group="1"))),
        Samples(task=TASK, samples=(A, B), draws=(OfficialSplit(*names),)),
        Samples(task=TASK, samples=(A, B), draws=(OfficialSplit(*names[::-1]),)),
        Samples(
            task=TASK, samples=(A, B), draws=(OfficialSplit(*names), OfficialSplit(*names[::-1]))
        ),
    ]
    assert len({listing.fingerprint for listing in listings}) == len(listings)
    turned = [replace(listing, samples=listing.samples[::-1]) for listing in listings]
    assert [x.fingerprint for x in turned] == [x.fingerprint for x in listings]
    plain = "c6d8b7a47075dfbc44b73df1ec64d6f6af1eff6ae907a2fe584fe3f4e096fda5"
    assert listings[0].fingerprint == plain, "older runs of undivided datasets stay known"


def test_whole_numbers_and_floats_have_one_fingerprint() -> None:
    floats = replace(TASK, rank_values=(0.0, 1.0))
    prints = {Samples(task=task, samples=(A,)).fingerprint for task in (TASK, floats)}
    assert len(prints) == 1


def test_an_argument_that_the_card_does_not_name_is_refused() -> None:
    with pytest.raises(SpecError, match=r"Mine takes options only .* got 'x' after its name"):
        Mine(Path("root"), "x")


def test_an_argument_that_the_card_names_must_be_given() -> None:
    with pytest.raises(SpecError, match="'Mine' needs a path; write NAME:PATH"):
        MineAt(Path("root"))
    assert MineAt(Path("root"), "x").argument == "x"


def test_what_no_program_can_fetch_says_how_to_get_it() -> None:
    with pytest.raises(DatasetError, match="Mine cannot be downloaded: ask me"):
        Mine(Path("root")).download()


@pytest.mark.parametrize(
    ("features", "said"),
    [
        (np.zeros((2, 3)), r"float32 numbers of shape \(1, D\), a row a sample, got float64"),
        (np.zeros((2, 3), np.float32), r"shape \(1, D\), .* got float32 of shape \(2, 3\)"),
        (np.zeros((1, 0), np.float32), r"got float32 of shape \(1, 0\)"),
        (np.zeros(1, np.float32), r"got float32 of shape \(1,\)"),
        (np.array([[0, np.nan]], np.float32), "features must be finite"),
        (np.array([[0, -np.inf]], np.float32), "features must be finite"),
    ],
    ids=["float64", "rows", "no column", "one dimension", "NaN", "infinite"],
)
def test_features_that_are_no_matrix_of_finite_numbers_are_refused(
    features: Any,  # noqa: ANN401
    said: str,
) -> None:
    with pytest.raises(DatasetError, match=said):
        Samples(task=TASK, samples=(A._replace(image=None),), features=features)


def test_a_sample_without_an_image_says_so() -> None:
    with pytest.raises(DatasetError, match=r"sample 'a\.jpg' has features and no image"):
        A._replace(image=None).open()
