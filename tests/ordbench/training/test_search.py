import math

import pytest
import torch

from ordbench.errors import SpecError, TrainingError
from ordbench.plugins.registry import HEADS
from ordbench.recipe import OptionValue, Recipe
from ordbench.runs.spec import RunSpec
from ordbench.training.samplers import Candidate, Tuning
from ordbench.training.search import Search, search
from ordbench.training.trainer import Replica, fit
from tests.ordbench.training.test_trainer import RECIPE, VALUES, problem_of, replica

NaN = math.nan


def spec(seed: int, tuning: Tuning | None, recipe: Recipe = RECIPE) -> RunSpec:
    options: dict[str, OptionValue] = {"mean_weight": 0.2, "variance_weight": 0.05}
    return RunSpec(
        head="mean-variance",
        head_options=options,
        dataset="drawn-faces",
        train_seed=seed,
        recipe=recipe,
        tuning=tuning,
    )


def build(seed: int, candidate: Candidate) -> Replica:
    base = replica("mean-variance", seed)
    torch.manual_seed(seed)
    head = HEADS["mean-variance"](problem_of(base.train), **candidate.options)
    return Replica(head, base.train, base.val, candidate.recipe, seed)


def search_of(run: RunSpec) -> Search:
    assert run.recipe is not None
    return Search(run.head, Candidate(run.recipe, run.head_options), run.tuning, run.train_seed)


def searched(tuning: Tuning | None, seeds: int = 2) -> list[Search]:
    searches = [search_of(spec(seed, tuning)) for seed in range(seeds)]
    search(searches, build, VALUES)
    return searches


def test_a_head_that_searches_what_its_recipe_fixes_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(HEADS["mean-variance"], "search", {"epochs": (2, 50)})
    with pytest.raises(SpecError, match="head 'mean-variance' searches epochs, which its recipe"):
        searched(Tuning(budget=2))


def test_without_tuning_the_default_alone_is_trained() -> None:
    (one,) = searched(None, seeds=1)
    (wanted,) = fit([build(0, Candidate(RECIPE, spec(0, None).head_options))], VALUES)
    assert [changed for changed, _ in one.tried] == [{}]
    assert one.found().val_mae == wanted.val_mae


def test_the_candidate_with_the_least_validation_error_is_found() -> None:
    for one in searched(Tuning(budget=8)):
        errors = [error for _, error in one.tried]
        assert len(errors) == 8
        assert one.found().val_mae == min(errors) <= errors[0]


def test_what_a_user_chose_is_not_searched() -> None:
    own = HEADS["mean-variance"].recipe
    free = spec(0, Tuning(budget=20), own)
    chosen = free.model_copy(
        update={
            "head_options": {**free.head_options, "mean_weight": 5.0},
            "recipe": own.model_copy(update={"weight_decay": 0.5}),
        }
    )

    def tried(run: RunSpec) -> tuple[set[OptionValue], set[float], set[OptionValue], set[float]]:
        one = search_of(run)
        one.ask()
        assert one.asked[0] == Candidate(run.recipe or own, run.head_options)
        return (
            {candidate.options["mean_weight"] for candidate in one.asked},
            {candidate.recipe.weight_decay for candidate in one.asked},
            {candidate.options["variance_weight"] for candidate in one.asked},
            {candidate.recipe.learning_rate for candidate in one.asked},
        )

    assert min(map(len, tried(free))) > 1
    mean_weights, weight_decays, *others = tried(chosen)
    assert (mean_weights, weight_decays) == ({5.0}, {0.5})
    assert min(map(len, others)) > 1


def test_each_candidate_is_what_it_would_be_alone() -> None:
    (one,) = searched(Tuning(budget=5), seeds=1)
    for changed, error in one.tried:
        (alone,) = fit([build(0, one.default.at(changed))], VALUES)
        assert error == alone.val_mae


def test_a_candidate_that_diverges_is_not_chosen() -> None:
    def broken(number: int, candidate: Candidate) -> Replica:
        built = build(number, candidate)
        if candidate.recipe == RECIPE:
            built.train.features.fill_(NaN)
        return built

    one = search_of(spec(0, Tuning(budget=3)))
    search([one], broken, VALUES)
    assert one.tried[0][1] == math.inf
    assert math.isfinite(one.found().val_mae)


def test_a_loss_that_is_not_finite_names_the_step() -> None:
    def broken(number: int, candidate: Candidate) -> Replica:
        built = build(number, candidate)
        built.train.features.fill_(NaN)
        return built

    one = search_of(spec(3, None))
    search([one], broken, VALUES)
    with pytest.raises(
        TrainingError,
        match=r"^the loss is nan at step 1 of training",
    ):
        one.found()
