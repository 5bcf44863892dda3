"""A recipe's optimiser and learning rate schedule, as torch has them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor
from torch.optim import SGD, AdamW, Optimizer, RAdam
from torch.optim.lr_scheduler import LambdaLR

from ordbench.recipe import Recipe

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
    """The learning rate over ``num_steps`` updates."""
    if recipe.schedule == "constant":
        return LambdaLR(optimizer, lambda step: 1.0)
    return LambdaLR(optimizer, lambda step: (1 + math.cos(math.pi * step / num_steps)) / 2)
