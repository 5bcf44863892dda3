"""Tuning: the same declared budget of candidates for every head, judged on validation only."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from ordbench.options import Value
from ordbench.recipe import Recipe

Sampler = Literal["random", "grid", "optuna"]


class Span(NamedTuple):
    """Positive numbers from ``low`` to ``high``, searched by their logarithm."""

    low: float
    high: float

    def at(self, share: float) -> float:
        """The number that ``share`` of the way leads to.

        >>> Span(0.01, 1.0).at(0.5)
        0.1
        """
        return float(self.low * (self.high / self.low) ** share)


Axis = Span | tuple[Value, ...]
Space = Mapping[str, Axis]

WEIGHT_DECAY = Span(1e-5, 1e-1)
LEARNING_RATE_FACTOR = Span(1 / 30, 30.0)


class Tuning(BaseModel):
    """How much is tried for a run; the same for every head of a table.

    Attributes:
        budget: Trainings, the head's default settings included as the first.
        sampler: ``random``; ``grid``, as fine as the budget allows; ``optuna`` (extra), in rounds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    budget: int = Field(ge=1)
    sampler: Sampler = "random"


class Candidate(NamedTuple):
    """One way to train a head."""

    recipe: Recipe
    options: dict[str, Value]


def space_of(recipe: Recipe, own: Space) -> Space:
    """The axes that are searched: learning rate, weight decay, and what the head declares."""
    rate = recipe.learning_rate
    around = Span(rate * LEARNING_RATE_FACTOR.low, rate * LEARNING_RATE_FACTOR.high)
    return {"learning_rate": around, "weight_decay": WEIGHT_DECAY, **own}


def candidates(
    tuning: Tuning, recipe: Recipe, options: Mapping[str, Value], own: Space, seed: int
) -> list[Candidate]:
    """The default, then points of the space; for ``optuna``, only the default.

    Args:
        tuning: Budget and sampler.
        recipe: The recipe that is varied.
        options: The head's options that are varied.
        own: What the head itself lets be searched.
        seed: Draws the points; the train seed of a run.
    """
    default = Candidate(recipe, dict(options))
    space = space_of(recipe, own)
    points: Iterator[Mapping[str, Value]] = iter(())
    if tuning.sampler == "random":
        points = _random(space, random.Random(seed))
    elif tuning.sampler == "grid":
        points = _grid(space, tuning.budget)
    rest = itertools.islice(points, tuning.budget - 1)
    return [default, *(at_point(default, point) for point in rest)]


def at_point(default: Candidate, point: Mapping[str, Value]) -> Candidate:
    """The candidate that a point of the space means."""
    of_recipe = {key: value for key, value in point.items() if key in Recipe.model_fields}
    of_head = {key: value for key, value in point.items() if key not in of_recipe}
    return Candidate(default.recipe.model_copy(update=of_recipe), {**default.options, **of_head})


def _random(space: Space, chance: random.Random) -> Iterator[Mapping[str, Value]]:
    while True:
        yield {
            name: axis.at(chance.random()) if isinstance(axis, Span) else chance.choice(axis)
            for name, axis in space.items()
        }


def _grid(space: Space, budget: int) -> Iterator[Mapping[str, Value]]:
    """A grid of as many points an axis as fit into the budget, at least one."""
    side = max(1, math.floor((budget - 1) ** (1 / len(space)) + 1e-9))
    axes = [_marks(axis, side) for axis in space.values()]
    for point in itertools.product(*axes):
        yield dict(zip(space, point, strict=True))


def _marks(axis: Axis, number: int) -> Sequence[Value]:
    if isinstance(axis, Span):
        return [axis.at((i + 0.5) / number) for i in range(number)]
    return axis[:number]
