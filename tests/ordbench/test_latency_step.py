from collections.abc import Sequence
from typing import Literal

import pytest
import torch

from ordbench import latency_step
from ordbench.latency_step import TrainingStep
from ordbench.optimization import State, optimizer_of
from ordbench.recipe import Recipe
from ordbench_heads.linear import Linear
from tests.reference.problem import problem

FEATURES = torch.randn(8, 24, generator=torch.Generator().manual_seed(0))
RANKS = torch.arange(8) % 5
Optimizer = Literal["adamw", "radam", "sgd"]

WEIGHTS = 5 * 24 + 5


def step(optimizer: Optimizer) -> TrainingStep:
    return TrainingStep(Linear(problem()), Recipe(optimizer=optimizer), FEATURES, RANKS)


@pytest.mark.parametrize("optimizer", ["adamw", "radam", "sgd"])
def test_steps_lower_the_loss_of_their_batch(optimizer: Optimizer) -> None:
    one = step(optimizer)
    before = one.loss().item()
    for _ in range(20):
        one()
    assert one.loss().item() < before


@pytest.mark.parametrize(("optimizer", "copies", "counters"), [("adamw", 2, 2), ("sgd", 1, 0)])
def test_what_an_optimiser_remembers_is_counted(
    optimizer: Optimizer, copies: int, counters: int
) -> None:
    one = step(optimizer)
    assert one.state_bytes == 0
    one()
    assert one.state_bytes == 4 * (copies * WEIGHTS + counters)


def test_the_optimiser_is_that_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[torch.optim.Optimizer] = []

    def remember(states: Sequence[State], recipes: Sequence[Recipe]) -> torch.optim.Optimizer:
        made.append(optimizer_of(states, recipes))
        return made[-1]

    monkeypatch.setattr(latency_step, "optimizer_of", remember)
    assert made == [step("radam").optimizer]
