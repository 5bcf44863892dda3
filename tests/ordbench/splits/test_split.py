from __future__ import annotations

from pathlib import Path

import pytest

from ordbench.dataset import Sample, Samples
from ordbench.errors import DatasetError
from ordbench.splits.split import Parts, Split, check, check_shots, notes
from ordbench.task import Task

TASK = Task(rank_names=("0", "1"), rank_values=(0, 1), unit="grade", context="it is")
SPLIT = Split(dataset="x", train=("a", "b"), val=("c",), test=("d",))


def sample(name: str, group: str | None = None, rank: int = 0) -> Sample:
    return Sample(name, Path(name), rank, group)


def listing(*samples: Sample, leaky: bool = False) -> Samples:
    return Samples(task=TASK, samples=samples, leaky=leaky)


def test_the_hash_is_a_known_number() -> None:
    # sha256 of ["x", ["a", "b"], ["c"], ["d"]]
    assert SPLIT.hash == "22f29cf651449a440d683002ca4afb19d06a947816fb526e0b5296f421115c20"


def test_the_hash_is_of_the_sets_and_of_nothing_else() -> None:
    same = SPLIT.model_copy(update={"train": ("b", "a"), "data_seed": 7, "notes": ("hello",)})
    assert Split(**same.model_dump()).hash == SPLIT.hash
    others = [
        SPLIT.model_copy(update=change)
        for change in ({"dataset": "y"}, {"train": ("a",)}, {"val": ("b",)}, {"test": ("e",)})
    ]
    assert len({Split(**other.model_dump()).hash for other in others} | {SPLIT.hash}) == 5


def test_indices_point_at_the_names() -> None:
    there = listing(*map(sample, "dbca"))
    assert SPLIT.indices(there) == ((3, 1), (2,), (0,))


def test_names_that_are_not_there_are_counted_and_one_is_named() -> None:
    with pytest.raises(
        DatasetError, match=r"names 2 images that x does not have .* first 'b', while its first"
    ):
        SPLIT.indices(listing(*map(sample, "ac")))


@pytest.mark.parametrize("empty", ["train", "val", "test"])
def test_an_empty_part_is_refused_by_name(empty: str) -> None:
    parts = Parts([sample("a")], [sample("b")], [sample("c")])._replace(**{empty: []})
    with pytest.raises(DatasetError, match=f"x, fold 0: no image is left for {empty}"):
        check(parts, listing(), where="x, fold 0", paper=False)


@pytest.mark.parametrize("pair", [(0, 1), (0, 2), (1, 2)], ids=str)
def test_a_person_in_two_parts_is_refused(pair: tuple[int, int]) -> None:
    groups = ["p" if place in pair else f"{place}" for place in range(3)]
    parts = Parts(*([sample(str(n), group)] for n, group in enumerate(groups)))
    with pytest.raises(DatasetError, match="group 'p' is in two parts of the split"):
        check(parts, listing(), where="x", paper=False)
    check(parts, listing(leaky=True), where="x", paper=False)


def test_images_of_nobody_known_may_stand_anywhere() -> None:
    check(Parts([sample("a")], [sample("b")], [sample("c")]), listing(), where="x", paper=False)


def test_one_image_in_two_parts_is_refused_even_in_a_leaky_dataset() -> None:
    parts = Parts([sample("a")], [sample("b")], [sample("a")])
    with pytest.raises(DatasetError, match="image 'a' is in two parts of the split"):
        check(parts, listing(leaky=True), where="x", paper=False)


def test_only_under_paper_validation_may_be_the_test_set() -> None:
    parts = Parts([sample("a")], [sample("b")], [sample("b")])
    check(parts, listing(), where="x", paper=True)
    with pytest.raises(DatasetError, match="image 'b' is in two parts of the split"):
        check(parts, listing(), where="x", paper=False)


def test_more_images_of_a_rank_than_shots_are_refused() -> None:
    train = [sample("a"), sample("b", rank=1), sample("c", rank=1)]
    check_shots(train, listing(), 2)
    check_shots(train, listing(), None)
    with pytest.raises(DatasetError, match="says shots: 1, but rank '1' has 2 training images;"):
        check_shots(train, listing(), 1)


def test_notes_count_leaks_missing_ranks_and_missing_shots() -> None:
    train = [sample("a", "p"), sample("b", "q")]
    parts = Parts(
        train, [sample("c", "r")], [sample(n, g) for n, g in zip("def", "prs", strict=True)]
    )
    assert notes(parts, listing(), shots=3, paper=False) == (
        "2 of 3 test images show a person or picture also in train or validation",
        "1 of 2 ranks have no training image",
        "1 of 2 ranks have fewer than 3 training images",
    )


def test_a_split_without_blemish_has_no_notes() -> None:
    train, val = ([sample(name), sample(name * 2, rank=1)] for name in "ac")
    assert notes(Parts(train, val, [sample("d")]), listing(), shots=1, paper=False) == ()


def test_ranks_that_nobody_selects_by_are_counted() -> None:
    parts = Parts([sample("a"), sample("b", rank=1)], [sample("c")], [sample("d")])
    assert notes(parts, listing(), shots=None, paper=False) == (
        "1 of 2 ranks train but have no validation image",
    )


def test_paper_says_that_it_selects_on_test_images() -> None:
    train, test = [sample("a", "p"), sample("b", rank=1)], [sample("d", "p")]
    assert notes(Parts(train, test, test), listing(), shots=None, paper=True) == (
        "validation images are the test images (protocol paper)",
        "1 of 1 test images show a person or picture also in train",
    )
