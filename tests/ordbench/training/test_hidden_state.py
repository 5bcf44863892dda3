from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

from ordbench.head import BaseHead
from ordbench.plugins.options import takes_argument
from ordbench.plugins.registry import HEADS
from ordbench.training.hidden_state import first_difference
from tests.reference.problem import problem


class Holder(nn.Module):
    def __init__(self, held: object) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(2, 2))
        self.inner.held = held  # type: ignore[assignment]  # anything may be held


class Thing:
    def __init__(self, value: object) -> None:
        self.value = value

    def __call__(self) -> object:
        return self.value

    def __repr__(self) -> str:  # the name of a test must be the same in every process
        return f"Thing({self.value!r})"


def circle() -> list[object]:
    found: list[object] = [1]
    found.append(found)
    return found


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [
        (torch.ones(2), torch.ones(2), None),
        (torch.ones(2), torch.zeros(2), "inner.held"),
        (torch.ones(2), torch.ones(1), "inner.held"),
        ([1, {"a": torch.ones(2)}], [1, {"a": torch.ones(2)}], None),
        ([1, {"a": torch.ones(2)}], [1, {"a": torch.zeros(2)}], "inner.held.1.a"),
        ([1], [1, 2], "inner.held"),
        (Thing(torch.ones(2)), Thing(torch.ones(2)), None),
        (Thing(torch.ones(2)), Thing(torch.zeros(2)), "inner.held.value"),
        ("text", "text", None),
        (1, 1.0, "inner.held"),
        (circle(), circle(), None),
        (np.ones(2), np.ones(2), "inner.held"),
        (partial(max, 1), partial(max, 1), "inner.held"),
    ],
    ids=str,
)
def test_what_two_modules_hold_is_looked_into(
    one: object, other: object, difference: str | None
) -> None:
    assert first_difference(Holder(one), Holder(other)) == difference


@pytest.mark.parametrize("name", sorted(n for n in HEADS if not takes_argument(HEADS[n])))
def test_the_heads_of_two_seeds_can_be_stacked(name: str) -> None:
    def head(seed: int) -> BaseHead:
        torch.manual_seed(seed)
        return HEADS[name](problem())

    assert first_difference(head(0), head(1)) is None
