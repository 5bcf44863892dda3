"""A small problem for heads: K ranks named by numbers, and a randomly initialised text tower."""

import torch

from ordbench.backbone import TextTower
from ordbench.head import Problem
from ordbench.task import Task
from tests.reference.text_tower import random_clip


def problem(
    num_ranks: int = 5,
    *,
    names: tuple[str, ...] | None = None,
    context: str = "age estimation: the age of the person is",
    tower: TextTower | None = None,
    aligned: bool = True,
) -> Problem:
    """Features are as wide as the joint space; the middle rank is absent from training."""
    tower = random_clip() if tower is None else tower
    counts = torch.ones(num_ranks, dtype=torch.int64)
    counts[num_ranks // 2] = 0
    return Problem(
        in_features=tower.embed_dim,
        task=Task(
            rank_names=names or tuple(str(rank) for rank in range(num_ranks)),
            rank_values=tuple(float(rank) for rank in range(num_ranks)),
            unit="years",
            context=context,
        ),
        train_counts=counts,
        feature_mean=torch.zeros(tower.embed_dim),
        feature_scale=torch.tensor(1.0),
        text_tower=tower,
        aligned=aligned,
    )
