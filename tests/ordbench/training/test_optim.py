"""RAdam is that of OrdinalCLIP's code, written again here, number by number."""

from math import cos, pi, sqrt

import pytest
import torch

from ordbench.recipe import Recipe
from ordbench.training.optim import optimizer_of, schedule_of

STEPS = 12


def gradient(step: int, at: float) -> float:
    """Of a curve that is steep at first, and never the same."""
    return (100.0 if step < 4 else 1.0) * (at - 0.3) + 0.1 * step


def radam_by_hand(recipe: Recipe) -> list[float]:
    """Liu et al. (2020), algorithm 2; where the variance is not defined, nothing is updated."""
    at, first, second, path = 1.0, 0.0, 0.0, []
    for step in range(1, STEPS + 1):
        slope = gradient(step, at)
        first = 0.9 * first + 0.1 * slope
        second = 0.999 * second + 0.001 * slope**2
        most = 2 / (1 - 0.999) - 1
        length = most - 2 * step * 0.999**step / (1 - 0.999**step)
        if length >= 5:
            rate = recipe.learning_rate
            if recipe.schedule == "cosine":
                rate *= (1 + cos(pi * (step - 1) / STEPS)) / 2
            rectified = (length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)
            size = sqrt(rectified * (1 - 0.999**step)) / (1 - 0.9**step)
            at -= rate * recipe.weight_decay * at
            at -= rate * size * first / (sqrt(second) + 1e-8)
        path.append(at)
    return path


@pytest.mark.parametrize("schedule", ["cosine", "constant"])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_radam_is_that_of_the_authors(schedule: str, weight_decay: float) -> None:
    settings = {"optimizer": "radam", "schedule": schedule, "weight_decay": weight_decay}
    recipe = Recipe.model_validate({**settings, "learning_rate": 0.2})
    weight = torch.tensor([1.0], dtype=torch.float64, requires_grad=True)
    optimizer = optimizer_of([{"weight": weight}], [recipe])
    schedule_ = schedule_of(recipe, optimizer, STEPS)
    path = []
    for step in range(1, STEPS + 1):
        weight.grad = torch.tensor([gradient(step, weight.item())], dtype=torch.float64)
        optimizer.step()
        schedule_.step()
        path.append(weight.item())
    assert path == pytest.approx(radam_by_hand(recipe), rel=1e-9)
    assert path[4] == 1.0 != path[5]


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_other_optimisers_start_with_the_first_step(optimizer: str) -> None:
    recipe = Recipe.model_validate({"optimizer": optimizer, "learning_rate": 0.1})
    weight = torch.tensor([1.0], requires_grad=True)
    made = optimizer_of([{"weight": weight}], [recipe])
    schedule_of(recipe, made, STEPS)
    weight.grad = torch.tensor([2.0])
    made.step()
    assert weight.item() == pytest.approx(0.9 if optimizer == "adamw" else 0.8)
