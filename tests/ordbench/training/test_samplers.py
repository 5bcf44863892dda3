import math
from collections.abc import Sequence

import pytest

from ordbench.errors import SpecError
from ordbench.plugins.registry import HEADS
from ordbench.recipe import LogUniform, Point, Recipe, SearchSpace
from ordbench.training.samplers import Candidate, Tuning, sampler_of, space_of

RECIPE = Recipe(learning_rate=1e-2, weight_decay=1e-3)
SPACE: SearchSpace = space_of(RECIPE, {"kl_weight": (0.0, 1.0)})


def asked(kind: str, budget: int, seed: int = 0) -> list[list[Point]]:
    """All rounds of a sampler that is told that the smallest learning rate is the best."""
    tuning = Tuning.model_validate({"budget": budget, "sampler": kind})
    sampler = sampler_of(tuning, SPACE, seed)
    rounds: list[list[Point]] = []
    while points := sampler.ask():
        rounds.append(points)
        sampler.tell([error(point) for point in points])
    return rounds


def error(point: Point) -> float:
    rate = point.get("learning_rate", 1e-2)
    assert isinstance(rate, float)
    return abs(math.log(rate / 1e-3))


def points(kind: str, budget: int, seed: int = 0) -> list[Point]:
    return [point for found in asked(kind, budget, seed) for point in found]


@pytest.mark.parametrize("kind", ["random", "grid", "optuna"])
@pytest.mark.parametrize("budget", [1, 2, 9])
def test_the_default_is_the_first_and_the_budget_is_kept(kind: str, budget: int) -> None:
    found = points(kind, budget)
    assert found[0] == {}
    assert len(found) == len({str(point) for point in found}) == budget


@pytest.mark.parametrize("kind", ["random", "grid"])
@pytest.mark.parametrize("budget", [5, 7, 10, 20, 50])
@pytest.mark.parametrize("head", HEADS)
def test_every_head_is_tried_as_often_as_the_budget_says(head: str, budget: int, kind: str) -> None:
    recipe, own = HEADS[head].recipe, HEADS[head].search
    iterative = HEADS[head].iterative
    tuning = Tuning.model_validate({"budget": budget, "sampler": kind})
    found = sampler_of(tuning, space_of(recipe if iterative else None, own), 0).ask()
    if not iterative:
        budget = min(budget, math.prod(len(axis) for axis in own.values()))
    assert found[0] == {}
    default = Candidate(recipe, {name: axis[0] for name, axis in own.items()})
    tried = [default.at(point) for point in found]
    assert len({rounded(candidate) for candidate in tried}) == len(tried) == budget


def rounded(candidate: Candidate) -> str:
    """Equal for candidates that differ by the rounding of floats alone."""
    values = {**candidate.recipe.model_dump(), **candidate.options}.values()
    return " ".join(f"{v:.9g}" if isinstance(v, float) else str(v) for v in values)


@pytest.mark.parametrize(
    ("own", "sides"),
    [({}, [4, 4]), ({"kl_weight": (0.0, 1.0)}, [3, 3, 2]), ({"a": (1,)}, [4, 4, 1])],
)
def test_a_grid_is_as_fine_as_the_budget_allows(own: SearchSpace, sides: list[int]) -> None:
    space = space_of(RECIPE, own)
    found = sampler_of(Tuning(budget=20, sampler="grid"), space, 0).ask()[1 : 1 + math.prod(sides)]
    assert [len({point[name] for point in found}) for name in space] == sides


@pytest.mark.parametrize("kind", ["random", "grid", "optuna"])
def test_points_stay_in_the_space(kind: str) -> None:
    for point in points(kind, 28)[1:]:
        assert point.keys() == SPACE.keys()
        for name, axis in SPACE.items():
            value = point[name]
            if isinstance(axis, LogUniform):
                assert isinstance(value, float)
                assert axis.low <= value <= axis.high
            else:
                assert value in axis


@pytest.mark.parametrize("kind", ["random", "optuna"])
def test_the_points_depend_on_the_seed_alone(kind: str) -> None:
    assert points(kind, 9) == points(kind, 9)
    assert points(kind, 9, seed=1) != points(kind, 9)


def test_a_larger_random_budget_tries_what_a_smaller_one_tried() -> None:
    assert points("random", 9)[:5] == points("random", 5)


def test_optuna_hears_what_came_of_its_rounds() -> None:
    rounds = asked("optuna", 60)
    early, late = rounds[:3], rounds[-3:]
    assert mean_error(late) < mean_error(early)


def mean_error(rounds: Sequence[Sequence[Point]]) -> float:
    errors = [error(point) for found in rounds for point in found]
    return sum(errors) / len(errors)


def test_a_candidate_changes_the_recipe_and_the_options_by_name() -> None:
    default = Candidate(RECIPE, {"kl_weight": 1.0, "base_ranks": 3})
    changed = default.at({"learning_rate": 0.5, "kl_weight": 0.0})
    assert changed.recipe == RECIPE.model_copy(update={"learning_rate": 0.5})
    assert changed.options == {"kl_weight": 0.0, "base_ranks": 3}


def test_optuna_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "optuna", None)
    with pytest.raises(SpecError, match=r"pip install 'ordbench\[optuna\]'"):
        sampler_of(Tuning(budget=2, sampler="optuna"), SPACE, 0)
