"""Tuning: the same declared budget of candidates for every head, judged on validation only.

Source: Bergstra and Bengio (2012). Random search for hyper-parameter optimization. JMLR 13.
https://jmlr.org/papers/v13/bergstra12a.html
"""

from __future__ import annotations

import itertools
import math
import random
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict, Field

from ordbench.errors import SpecError
from ordbench.recipe import Axis, LogUniform, OptionScalar, OptionValue, Point, Recipe, SearchSpace

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial

WEIGHT_DECAY = LogUniform(1e-5, 1e-1)
LEARNING_RATE_FACTOR = LogUniform(1 / 30, 30.0)
ROUND = 4  # candidates that optuna proposes before it hears of the last ones


class Tuning(BaseModel):
    """How much is tried for a run; the same for every head of a table.

    Attributes:
        budget: Trainings, the head's default settings included as the first.
        sampler: ``random``; ``grid``, as fine as the budget allows, random points in what it leaves
            of the budget; ``optuna`` (extra), its TPE.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    budget: int = Field(ge=1)
    sampler: Literal["random", "grid", "optuna"] = "random"


class Candidate(NamedTuple):
    """One way to train a head: a recipe, and the head's options."""

    recipe: Recipe
    options: Mapping[str, OptionValue]

    def at(self, point: Point) -> Candidate:
        """The candidate that differs from this one as a point of the space says."""
        of_recipe = {key: value for key, value in point.items() if key in Recipe.model_fields}
        of_head = {key: value for key, value in point.items() if key not in of_recipe}
        return Candidate(self.recipe.model_copy(update=of_recipe), {**self.options, **of_head})


class Sampler(Protocol):
    """Proposes points until the budget is used up."""

    def ask(self) -> list[Point]:
        """The next points, to be trained together; none if nothing is left to try."""
        ...

    def tell(self, errors: Sequence[float]) -> None:
        """Validation errors of the points that were asked for last, in their order."""
        ...


def space_of(recipe: Recipe | None, own: SearchSpace) -> SearchSpace:
    """The axes that are searched: learning rate, weight decay, and what the head declares.

    Args:
        recipe: The head's; None for one that is not trained by steps.
        own: What the head declares.
    """
    if recipe is None:
        return own
    rate = recipe.learning_rate
    around = LogUniform(rate * LEARNING_RATE_FACTOR.low, rate * LEARNING_RATE_FACTOR.high)
    return {"learning_rate": around, "weight_decay": WEIGHT_DECAY, **own}


def sampler_of(tuning: Tuning | None, space: SearchSpace, seed: int) -> Sampler:
    """A sampler of ``budget`` points; the first is the default: the empty point.

    There are fewer where the space has no more: each point is tried once.

    Args:
        tuning: Budget and kind; None tries the default alone.
        space: What is searched.
        seed: Draws the points, but those of a grid.

    Raises:
        SpecError: If optuna is wanted and not installed.
    """
    if tuning is None:
        return Listed([{}])
    if (others := _others(space)) is not None and (
        tuning.sampler != "optuna" or len(others) < tuning.budget
    ):
        random.Random(seed).shuffle(others)
        return Listed([{}, *others[: tuning.budget - 1]])
    if tuning.sampler == "optuna":
        return Optuna(tuning.budget, space, seed)
    points = _random(space, random.Random(seed))
    if tuning.sampler == "grid":
        points = itertools.chain(_grid(space, tuning.budget - 1), points)
    return Listed([{}, *itertools.islice(points, tuning.budget - 1)])


class Listed:
    """Points that are known before the first is tried."""

    def __init__(self, points: Sequence[Point]) -> None:
        self._points = list(points)

    def ask(self) -> list[Point]:
        """All points, once."""
        points, self._points = self._points, []
        return points

    def tell(self, errors: Sequence[float]) -> None:
        """Nothing is learned from them."""


class Optuna:
    """Optuna's tree-structured Parzen estimator, a few points at a time.

    Source: Akiba et al. (2019). Optuna. KDD 2019. https://doi.org/10.1145/3292500.3330701

    Raises:
        SpecError: If it is not installed.
    """

    def __init__(self, budget: int, space: SearchSpace, seed: int) -> None:
        try:
            import optuna
        except ImportError:
            raise SpecError(
                "--sampler optuna: optuna is not installed; pip install 'ordbench[optuna]', "
                "or take --sampler random"
            ) from None
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._left = budget
        self._axes = {name: _distribution(axis) for name, axis in space.items()}
        self._study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
        self._asked: list[Trial] = []

    def ask(self) -> list[Point]:
        """The default, which the study does not hear of, then a few points a round."""
        number, first = min(self._left, ROUND), self._left and not self._study.trials
        self._left -= number
        self._asked = [self._study.ask(self._axes) for _ in range(number - bool(first))]
        return [*([{}] if first else []), *(dict(trial.params) for trial in self._asked)]

    def tell(self, errors: Sequence[float]) -> None:
        """Tell the study; a training that diverged counts as failed."""
        from optuna.trial import TrialState

        for trial, error in zip(self._asked, errors[len(errors) - len(self._asked) :], strict=True):
            if math.isfinite(error):
                self._study.tell(trial, error)
            else:
                self._study.tell(trial, state=TrialState.FAIL)


def _distribution(axis: Axis) -> BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution

    if isinstance(axis, LogUniform):
        return FloatDistribution(axis.low, axis.high, log=True)
    return CategoricalDistribution(axis)


def _others(space: SearchSpace) -> list[Point] | None:
    """All points but the default, which has the first value of each axis; None if uncountable."""
    axes = [axis for axis in space.values() if not isinstance(axis, LogUniform)]
    if len(axes) < len(space):
        return None
    _, *others = itertools.product(*axes)
    return [dict(zip(space, values, strict=True)) for values in others]


def _random(space: SearchSpace, chance: random.Random) -> Iterator[Point]:
    while True:
        yield {
            name: axis.at(chance.random()) if isinstance(axis, LogUniform) else chance.choice(axis)
            for name, axis in space.items()
        }


def _grid(space: SearchSpace, most: int) -> Iterator[Point]:
    """A grid of at most ``most`` points: the axes grow in turn, each until it fits no more."""
    marks = {name: _marks(axis, 1) for name, axis in space.items()}
    growing = deque(space)
    while growing:
        name = growing.popleft()
        finer = {**marks, name: _marks(space[name], len(marks[name]) + 1)}
        if len(finer[name]) > len(marks[name]) and math.prod(map(len, finer.values())) <= most:
            marks = finer
            growing.append(name)
    for point in itertools.product(*marks.values()):
        yield dict(zip(space, point, strict=True))


def _marks(axis: Axis, number: int) -> Sequence[OptionScalar]:
    if isinstance(axis, LogUniform):
        # A third, not half a step from the end: half way lies the default learning rate.
        return [axis.at((i + 1 / 3) / number) for i in range(number)]
    return axis[:number]
