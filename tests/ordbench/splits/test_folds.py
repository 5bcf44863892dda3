from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordbench.dataset import Sample
from ordbench.splits.folds import (
    by_hash,
    few_shot,
    folds_by_hash,
    groups_of,
    hold_out,
    largest_rank,
    without,
)


def alone(ranks: Sequence[int]) -> list[Sample]:
    """One image of nobody known a rank given."""
    return [Sample(f"{n:03}.png", Path(f"{n:03}.png"), rank) for n, rank in enumerate(ranks)]


def people(sizes: Sequence[int]) -> list[Sample]:
    """One person a size given, with so many images."""
    return [
        Sample(f"{who}-{n}.png", Path(f"{who}-{n}.png"), rank=n % 3, group=f"p{who}")
        for who, size in enumerate(sizes)
        for n in range(size)
    ]


def test_the_order_is_that_of_sha256_over_version_salt_and_name() -> None:
    samples = alone([0] * 6)

    def by_hand(sample: Sample) -> str:
        return hashlib.sha256(b"ordbench-split-1\0utkface\0" + sample.name.encode()).hexdigest()

    assert by_hash(samples, "utkface") == sorted(samples, key=by_hand)


@given(st.lists(st.integers(0, 4), max_size=60), st.randoms())
def test_folds_share_every_rank_and_do_not_see_the_order(
    ranks: list[int], shuffle: random.Random
) -> None:
    samples = alone(ranks)
    folds = folds_by_hash(samples, "x")
    for rank in set(ranks):
        sizes = Counter(folds[s.name] for s in samples if s.rank == rank)
        assert max(sizes.values()) - min(sizes[fold] for fold in range(5)) <= 1
    shuffle.shuffle(samples)
    assert folds_by_hash(samples, "x") == folds


def test_single_images_of_five_ranks_do_not_pile_up_in_one_fold() -> None:
    assert sorted(folds_by_hash(alone([0, 1, 2, 3, 4]), "x").values()) == [0, 1, 2, 3, 4]


@given(st.lists(st.integers(1, 6), max_size=20), st.lists(st.integers(0, 3), max_size=20))
def test_folds_never_divide_a_person(sizes: list[int], ranks: list[int]) -> None:
    samples = people(sizes) + alone(ranks)
    folds = folds_by_hash(samples, "x")
    assert folds.keys() == {sample.name for sample in samples}
    homes = {(sample.group, folds[sample.name]) for sample in samples if sample.group}
    assert len(homes) == len(sizes)


def test_people_of_one_size_fill_the_folds_evenly() -> None:
    folds = folds_by_hash(people([4] * 10), "x")
    assert set(Counter(folds.values()).values()) == {8}


def test_another_dataset_has_other_folds() -> None:
    samples = alone([0] * 40)
    assert folds_by_hash(samples, "x") != folds_by_hash(samples, "y")


@pytest.mark.parametrize(
    ("ranks", "sizes"),
    [
        ([0] * 16 + [1] * 8, {0: 2, 1: 1}),
        ([0] * 12 + [1] * 11, {0: 2, 1: 1}),  # 1.5 and 1.375, rounded
        ([0] * 4 + [1] * 3, {0: 1}),
        ([0] * 3 + [1] * 2 + [2], {0: 1, 1: 1}),  # no eighth anywhere: one where two are
        ([0, 1], {}),
    ],
)
def test_an_eighth_of_each_rank_is_held_out(ranks: list[int], sizes: dict[int, int]) -> None:
    samples = alone(ranks)
    held_out = hold_out(samples, "x")
    assert Counter(s.rank for s in samples if s.name in held_out) == sizes


@given(st.lists(st.integers(1, 60), min_size=2, max_size=20), st.integers(0, 9))
def test_whole_people_are_held_out_closest_to_an_eighth(sizes: list[int], salt: int) -> None:
    samples = people(sizes)
    held_out = hold_out(samples, str(salt))
    taken = [s for s in samples if s.name in held_out]
    left = Counter(s.group for s in samples if s.name not in held_out)
    assert taken
    assert left
    assert not groups_of(taken) & left.keys()
    if min(sizes) >= len(samples) / 4:  # no person fits: the smallest
        assert len(taken) == min(sizes)
        return
    distance = abs(len(taken) - len(samples) / 8)
    assert len(taken) < len(samples) / 4
    assert all(abs(len(taken) + n - len(samples) / 8) >= distance for n in left.values())


@given(st.lists(st.integers(1, 9), min_size=2, max_size=12), st.randoms())
def test_who_is_held_out_does_not_depend_on_the_order(
    sizes: list[int], shuffle: random.Random
) -> None:
    samples = people(sizes)
    held_out = hold_out(samples, "x")
    shuffle.shuffle(samples)
    assert hold_out(samples, "x") == held_out


@pytest.mark.parametrize("sizes", [[50, 2], [2, 50]], ids=str)
@pytest.mark.parametrize("salt", range(8))
def test_of_two_people_the_one_with_few_images_is_held_out(sizes: list[int], salt: int) -> None:
    assert len(hold_out(people(sizes), str(salt))) == 2


def test_the_only_person_is_not_held_out() -> None:
    assert hold_out(people([5]), "x") == set()


@given(st.lists(st.integers(0, 3), max_size=40), st.integers(0, 5))
def test_more_shots_hold_the_fewer(ranks: list[int], seed: int) -> None:
    samples = alone(ranks)
    chosen = [few_shot(samples, shots, str(seed)) for shots in (1, 2, 4, 8)]
    sets = [{sample.name for sample in few} for few in chosen]
    for fewer, more in pairwise(sets):
        assert fewer <= more
    available = Counter(ranks)
    for shots, few in zip((1, 2, 4, 8), chosen, strict=True):
        wanted = {rank: min(shots, count) for rank, count in available.items()}
        assert Counter(sample.rank for sample in few) == wanted


def test_names_and_people_are_left_out() -> None:
    samples = people([2, 2]) + alone([0, 1])
    left = without(samples, {"000.png"}, {"p0"})
    assert [sample.name for sample in left] == ["1-0.png", "1-1.png", "001.png"]


def test_the_largest_rank_is_counted() -> None:
    assert largest_rank(alone([0, 1, 1, 2])) == 2
    assert largest_rank([]) == 0
