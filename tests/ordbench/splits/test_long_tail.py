from __future__ import annotations

import pytest

from ordbench.errors import SpecError
from ordbench.splits.long_tail import long_tail
from tests.reference.photos import RANKS, counts, drawn, ordered


@pytest.mark.parametrize("data_seed", [0, 1, 2])
def test_ranks_keep_what_a_slow_drawing_keeps(data_seed: int) -> None:
    every = drawn("standard")
    largest = max(counts(every.train).values())
    kept: list[str] = []
    for rank in range(7):
        images = [name for name in every.train if RANKS[name] == rank]
        in_order = ordered(images, "x", "long-tail", str(data_seed), "0")
        kept += in_order[: max(int(largest / 20 ** (rank / 6)), 1)]
    split = drawn("long-tail:ratio=20", data_seed=data_seed)
    assert split.train == tuple(sorted(kept))
    assert (split.val, split.test) == (every.val, every.test)


def test_the_sizes_are_those_of_cifar_10_lt() -> None:
    assert long_tail(5000, 10, 100) == [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]
    assert long_tail(5000, 10, 10) == [5000, 3871, 2997, 2320, 1796, 1391, 1077, 834, 645, 500]
    assert long_tail(500, 100, 100)[-1] == 5
    assert long_tail(3, 3, 100) == [3, 1, 1]


def test_a_ratio_that_is_none_is_refused() -> None:
    with pytest.raises(SpecError, match="must be above 1"):
        drawn("long-tail:ratio=1")
