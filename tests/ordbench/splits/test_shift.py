from __future__ import annotations

import pytest

from ordbench.errors import SpecError
from tests.reference.photos import RANKS, counts, drawn, ordered


@pytest.mark.parametrize("data_seed", [0, 1, 2])
@pytest.mark.parametrize("per_cent", [80, 90])
def test_the_largest_ranks_keep_what_a_slow_drawing_keeps(
    per_cent: int,
    data_seed: int,
) -> None:
    every = drawn("standard")
    kept = list(every.train)
    sizes = counts(every.train)
    by_size = sorted(sizes, key=lambda rank: sizes[rank] * 1000 - rank)
    for rank in by_size[-3:]:
        images = [name for name in every.train if RANKS[name] == rank]
        wanted = max(len(images) * (100 - per_cent) // 100, 1)
        for name in ordered(images, "x", "shift", str(data_seed), "0")[wanted:]:
            kept.remove(name)
    split = drawn(f"shift:classes=3:samples=0.{per_cent}", data_seed=data_seed)
    assert split.train == tuple(sorted(kept))
    assert (split.val, split.test) == (every.val, every.test)


def test_of_ranks_that_are_equally_large_the_lower_one_is_reduced() -> None:
    every = counts(drawn("standard").train)
    assert every[3] == every[5]
    left = counts(drawn("shift:classes=3:samples=0.5").train)
    assert {rank for rank in every if left[rank] < every[rank]} == {0, 2, 3}


def test_a_share_is_exact_and_one_image_is_left() -> None:
    every = counts(drawn("standard").train)
    left = counts(drawn("shift:classes=7:samples=0.8").train)
    assert left == {rank: max(count // 5, 1) for rank, count in every.items()}
    left = counts(drawn("shift:classes=7:samples=0.999").train)
    assert set(left.values()) == {1}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ("classes=8:samples=0.8", "classes=8, but 7 ranks have training images"),
        ("classes=0:samples=0.8", "classes=0 must be at least 1"),
        ("classes=1:samples=80", "samples=80.0 must be above 0 and below 1"),
        ("classes=1", "needs option 'samples'"),
    ],
)
def test_a_shift_that_cannot_be_is_refused(options: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        drawn(f"shift:{options}")
