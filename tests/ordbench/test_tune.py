import pytest

from ordbench.recipe import Recipe
from ordbench.tune import Sampler, Span, Tuning, candidates, space_of

RECIPE = Recipe(learning_rate=1e-2, weight_decay=1e-3)
OWN = {"kl_weight": (0.0, 1.0)}


def tried(sampler: Sampler, budget: int, seed: int = 0) -> list[tuple[float, float, object]]:
    found = candidates(
        Tuning(budget=budget, sampler=sampler), RECIPE, {"kl_weight": 1.0}, OWN, seed
    )
    return [(c.recipe.learning_rate, c.recipe.weight_decay, c.options["kl_weight"]) for c in found]


@pytest.mark.parametrize("sampler", ["random", "grid"])
def test_the_default_is_the_first_candidate_and_the_budget_is_kept(sampler: Sampler) -> None:
    points = tried(sampler, 9)
    assert points[0] == (1e-2, 1e-3, 1.0)
    assert len(points) == len(set(points)) == 9


def test_a_budget_of_one_is_the_default_alone() -> None:
    assert tried("random", 1) == tried("grid", 1) == [(1e-2, 1e-3, 1.0)]


def test_points_stay_in_the_space() -> None:
    space = space_of(RECIPE, OWN)
    rate, decay = space["learning_rate"], space["weight_decay"]
    assert isinstance(rate, Span)
    assert isinstance(decay, Span)
    for learning_rate, weight_decay, kl_weight in tried("random", 50)[1:]:
        assert rate.low <= learning_rate <= rate.high
        assert decay.low <= weight_decay <= decay.high
        assert kl_weight in (0.0, 1.0)


def test_the_points_depend_on_the_seed_alone() -> None:
    assert tried("random", 5) == tried("random", 5)
    assert tried("random", 5, seed=1) != tried("random", 5)


def test_a_larger_budget_tries_what_a_smaller_one_tried() -> None:
    assert tried("random", 9)[:5] == tried("random", 5)
