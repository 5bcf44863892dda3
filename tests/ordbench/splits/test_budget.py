from __future__ import annotations

import pytest

from ordbench.errors import SpecError
from tests.reference.photos import drawn, ordered


@pytest.mark.parametrize("data_seed", [0, 1, 2])
@pytest.mark.parametrize(("images", "val"), [(2, 1), (15, 1), (16, 2), (200, 25)])
def test_a_budget_is_what_a_slow_drawing_buys(
    images: int,
    val: int,
    data_seed: int,
) -> None:
    every, salt = drawn("standard"), ("x", "budget", str(data_seed), "0")
    split = drawn(f"budget:images={images}", data_seed=data_seed)
    assert split.train == tuple(sorted(ordered(every.train, *salt)[: images - val]))
    assert split.val == tuple(sorted(ordered(every.val, *salt)[:val]))
    assert split.test == every.test


def test_a_larger_budget_holds_the_smaller() -> None:
    before: set[str] = set()
    for images in range(2, 60):
        split = drawn(f"budget:images={images}")
        now = {*split.train, *split.val}
        assert len(now) == images
        assert before < now
        before = now


def test_a_budget_that_cannot_be_is_refused() -> None:
    there = len(drawn("standard").train)
    with pytest.raises(SpecError, match=f"but there are {there} that may; take fewer"):
        drawn("budget:images=5000")
    with pytest.raises(SpecError, match="so that --shots 4 cannot; leave one of the two out"):
        drawn("budget:images=40", shots=4)
    with pytest.raises(SpecError, match="images=1 must be at least 2"):
        drawn("budget:images=1")
