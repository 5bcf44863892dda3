"""A recipe's optimiser and learning rate schedule, as torch has them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor
from torch.optim import SGD, AdamW, Optimizer, RAdam
from torch.optim.lr_scheduler import LambdaLR

from ordbench.recipe import Recipe

UNDEFINED = 5  # updates of RAdam, at betas of 0.9 and 0.999, whose variance is not defined

State = dict[str, Tensor]
"""The trained parameters of a head, by name."""


def optimizer_of(states: Sequence[State], recipes: Sequence[Recipe]) -> Optimizer:
    """One optimiser for replicas, each with a learning rate and a weight decay of its own."""
    groups = [
        {
            "params": list(state.values()),
            "lr": recipe.learning_rate,
            "weight_decay": recipe.weight_decay,
        }
        for state, recipe in zip(states, recipes, strict=True)
    ]
    match recipes[0].optimizer:
        case "adamw":
            return AdamW(groups)
        case "radam":
            return RAdam(groups, decoupled_weight_decay=True)
        case "sgd":
            return SGD(groups, momentum=0.9)


def schedule_of(recipe: Recipe, optimizer: Optimizer, num_steps: int) -> LambdaLR:
    """The learning rate over ``num_steps`` updates.

    It is zero for RAdam's first updates, as in OrdinalCLIP's code: the variance that RAdam divides
    by is not defined there, and torch's steps along the bare gradient, however long it is.
    """
    held = UNDEFINED if recipe.optimizer == "radam" else 0

    def factor(step: int) -> float:
        if step < held:
            return 0.0
        if recipe.schedule == "constant":
            return 1.0
        return (1 + math.cos(math.pi * step / num_steps)) / 2

    return LambdaLR(optimizer, factor)
