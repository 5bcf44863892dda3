import itertools
import logging
import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from ordbench.errors import BrokenPluginError
from ordbench.head import BaseHead, Head, Problem
from ordbench.plugins.registry import HEADS
from ordbench.recipe import OptionValue, Recipe
from ordbench.task import Task
from ordbench.training import trainer
from ordbench.training.replicas import _warn
from ordbench.training.trainer import MAX_STACKED, LabelledFeatures, Replica, fit
from tests.reference.text_tower import random_clip

# Bit-equal where one replica's matrices lie in memory as another's do: for every width that fills
# whole cache lines and every number of attention heads that four divides, as those of CLIP.
K, D = 7, 16
TOWER = random_clip(heads=4, embed_dim=32)
TASK = Task(
    rank_names=tuple("abcdefg"),
    rank_values=(1, 2, 3, 5, 8, 13, 21),
    unit="years",
    context="it is",
)
VALUES = torch.tensor(TASK.rank_values)
RECIPE = Recipe(learning_rate=0.05, min_steps=40, epochs=5, batch_size=16, evaluations=4)


def labelled(num: int, seed: int) -> LabelledFeatures:
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(num, D, generator=generator)
    edges = torch.linspace(-1.5, 1.5, K - 1)
    return LabelledFeatures(features, torch.bucketize(features[:, 0].contiguous(), edges))


def problem_of(train: LabelledFeatures) -> Problem:
    return trainer.problem_of(train, TASK, TOWER, aligned=False)


def replica(name: str, seed: int, num_train: int = 40, **options: OptionValue) -> Replica:
    train = labelled(num_train, seed)
    torch.manual_seed(seed)
    head = HEADS[name](problem_of(train), **options)
    return Replica(head, train, labelled(30, seed + 1000), RECIPE, seed)


def predicted(head: BaseHead, features: torch.Tensor) -> torch.Tensor:
    posterior = head.predict(head(features)).posterior
    assert posterior is not None
    return posterior.detach()


def states(name: str, seeds: list[int], **options: OptionValue) -> list[dict[str, torch.Tensor]]:
    fitted = fit([replica(name, seed, 40, **options) for seed in seeds], VALUES)
    return [f.head.state_dict() for f in fitted]


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("linear", {}),
        ("coral", {}),
        ("mean-variance", {}),
        ("coop", {}),
        ("coop", {"class_specific": True, "position": "front"}),
        ("ordinalclip", {}),
        ("ordinalclip", {"tokens_per_rank": 3, "position": "middle"}),
        ("ordinalclip", {"rank_specific_context": True, "context_tokens": 4}),
    ],
    ids=str,
)
def test_a_replica_does_not_depend_on_who_is_trained_beside_it(
    name: str, options: dict[str, OptionValue]
) -> None:
    together = states(name, [0, 1, 2], **options)
    pair = states(name, [2, 0], **options)
    assert all(torch.equal(pair[0][key], together[2][key]) for key in pair[0])
    for seed, state in enumerate(together):
        (alone,) = states(name, [seed], **options)
        assert all(torch.equal(alone[key], state[key]) for key in alone)


@pytest.mark.parametrize("name", ["linear", "coral", "mean-variance"])
def test_one_learning_rate_does_for_every_width(name: str) -> None:
    def trained(times: int) -> torch.Tensor:
        """What a head says of features that are there several times."""
        train, val = (
            LabelledFeatures(part.features.repeat(1, times), part.ranks)
            for part in (labelled(40, 0), labelled(30, 1000))
        )
        problem = replace(problem_of(train), in_features=times * D)
        (fitted,) = fit([Replica(HEADS[name](problem), train, val, RECIPE, 0)], VALUES)
        return predicted(fitted.head, val.features)

    torch.testing.assert_close(trained(50), trained(1), rtol=0, atol=1e-4)


def test_features_are_told_with_their_mean_and_one_scale() -> None:
    features = torch.tensor([[0.0, 10.0, 1.0], [4.0, 10.0, 3.0]])
    told = trainer.problem_of(LabelledFeatures(features, torch.tensor([2, 2])), TASK, aligned=False)
    assert told.feature_mean.tolist() == [2, 10, 2]
    assert told.feature_scale.item() == pytest.approx(math.sqrt((4 + 0 + 1) / 3))
    assert told.train_counts.tolist() == [0, 0, 2, 0, 0, 0, 0]


@pytest.mark.parametrize("value", [0.0, 0.1, 1e6])
def test_features_that_never_vary_are_not_divided_by_what_rounding_leaves(value: float) -> None:
    same = LabelledFeatures(torch.full((3, D), value), torch.tensor([0, 1, 2]))
    assert problem_of(same).feature_scale == 1


def test_a_feature_that_is_all_but_silent_in_training_does_not_decide_an_image() -> None:
    """Rank 6 shows in the first feature; the second varies by a thousandth in training."""
    features = torch.zeros(8, D)
    features[4:, 0] = 1
    features[:, 1] = 1e-3 * torch.tensor([0.0, 1, 0, 1, 1, 1, 0, 1])
    train = LabelledFeatures(features, torch.tensor([0] * 4 + [6] * 4))
    image = torch.zeros(1, D)
    image[0, 1] = 0.05

    def predicted_with(told: Problem) -> float:
        (fitted,) = fit([Replica(HEADS["linear"](told), train, train, RECIPE, 0)], VALUES)
        return fitted.head.predict(fitted.head(image)).position.item()

    told = problem_of(train)
    assert predicted_with(told) == 0
    each = features.std(0, correction=0).clamp_min(1e-6)
    assert predicted_with(replace(told, feature_scale=each)) == 6


def test_the_same_seed_gives_the_same_head() -> None:
    (first,), (second,) = states("linear", [3]), states("linear", [3])
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_another_seed_orders_the_batches_otherwise() -> None:
    one, other = replica("linear", 0), replica("linear", 0)
    other = replace(other, seed=1)
    fit([one], VALUES)
    fit([other], VALUES)
    one_weights, other_weights = one.head.state_dict(), other.head.state_dict()
    assert not torch.equal(one_weights["score.weight"], other_weights["score.weight"])


class Frozen(Head):
    """A linear probe of a random projection that is not trained."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.mix = torch.nn.Parameter(torch.randn(D, D), requires_grad=False)
        self.score = torch.nn.Linear(D, K)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.score(features @ self.mix)

    def loss(self, outputs: torch.Tensor, ranks: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(outputs, ranks)

    def posterior(self, outputs: torch.Tensor) -> torch.Tensor:
        return outputs.softmax(-1)


class Alone(Frozen):
    """It writes to buffers and draws random numbers, so it cannot be batched."""

    batchable = False

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.norm = torch.nn.BatchNorm1d(D)
        self.drop = torch.nn.Dropout(0.5)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return super().forward(self.drop(self.norm(features + 10)))


class Centred(Frozen):
    """What differs between seeds stands where replicas that are stacked would not see it."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.centre = [2 * problem.feature_mean]

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return super().forward(features - self.centre[0])


def of(head: type[Head], seed: int) -> Replica:
    base = replica("linear", seed)
    torch.manual_seed(seed)
    return replace(base, head=head(problem_of(base.train)))


@pytest.mark.parametrize("head", [HEADS["linear"], Frozen, Alone, Centred])
def test_validation_mae_is_that_of_the_head_that_comes_back(head: type[Head]) -> None:
    replicas = [of(head, seed) for seed in range(3)]
    for one, fitted in zip(replicas, fit(replicas, VALUES), strict=True):
        assert not fitted.head.training
        posterior = predicted(fitted.head, one.val.features)
        errors = [
            abs(TASK.rank_values[int((row.cumsum(0) < 0.5).sum())] - TASK.rank_values[rank])
            for row, rank in zip(posterior, one.val.ranks.tolist(), strict=True)
        ]
        assert fitted.val_mae == pytest.approx(sum(errors) / len(errors), rel=1e-6)


@pytest.mark.parametrize("head", [Frozen, Alone, Centred])
def test_a_replica_of_any_head_does_not_depend_on_others_or_on_what_was_drawn_before(
    head: type[Head],
) -> None:
    together = fit([of(head, seed) for seed in range(3)], VALUES)
    last = of(head, 2)
    torch.rand(7)
    before = torch.get_rng_state()
    (alone,) = fit([last], VALUES)
    wanted = alone.head.state_dict()
    assert all(torch.equal(v, wanted[k]) for k, v in together[2].head.state_dict().items())
    assert torch.equal(before, torch.get_rng_state())


class Perfect(Head):
    """Its first evaluation is perfect, so no later one can be better."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.shift = torch.nn.Parameter(torch.zeros(()))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return -(torch.arange(K) - 3 - self.shift).square() + 0 * features[:, :1]

    def loss(self, outputs: torch.Tensor, ranks: torch.Tensor) -> torch.Tensor:
        return (outputs[:, 0] - 0 * ranks).mean()

    def posterior(self, outputs: torch.Tensor) -> torch.Tensor:
        return outputs.softmax(-1)


def perfect() -> Replica:
    base = replica("linear", 0)
    middle = LabelledFeatures(base.val.features, torch.full_like(base.val.ranks, 3))
    problem = Problem(
        in_features=D,
        task=TASK,
        train_counts=torch.zeros(K, dtype=torch.int64),
        feature_mean=torch.zeros(D),
        feature_scale=torch.tensor(1.0),
    )
    return replace(base, head=Perfect(problem), val=middle)


def test_training_stops_early_and_keeps_the_best_step() -> None:
    recipe = Recipe(learning_rate=0.02, min_steps=100, epochs=1, evaluations=20, patience=2)
    (fitted,) = fit([replace(perfect(), recipe=recipe)], VALUES)
    assert fitted.best_step == 5
    assert fitted.steps == 15
    assert fitted.val_mae == 0.0


@pytest.mark.parametrize(("steps", "evaluated"), [(39, 2), (40, 2), (41, 3)])
def test_validation_is_looked_at_no_more_often_than_asked(steps: int, evaluated: int) -> None:
    """Patience is 2 evaluations: the first is best, so training ends with the third."""
    recipe = Recipe(learning_rate=0.02, min_steps=steps, epochs=1, evaluations=20, patience=2)
    (fitted,) = fit([replace(perfect(), recipe=recipe)], VALUES)
    assert fitted.best_step == evaluated
    assert fitted.steps == 3 * evaluated


def test_a_training_that_comes_to_its_last_step_has_not_stopped_early() -> None:
    recipe = Recipe(learning_rate=0.02, min_steps=30, epochs=1, evaluations=3, patience=2)
    (fitted,) = fit([replace(perfect(), recipe=recipe)], VALUES)
    assert (fitted.steps, fitted.best_step, fitted.stopped_early) == (30, 10, False)


def test_a_training_that_diverges_ends_there_and_harms_no_other() -> None:
    one, other = replica("linear", 0), replica("linear", 1)
    broken = LabelledFeatures(one.train.features.clone().fill_(torch.nan), one.train.ranks)
    lost, fine = fit([replace(one, train=broken), other], VALUES)
    assert lost.diverged is not None
    assert math.isnan(lost.diverged)
    assert (lost.steps, lost.val_mae) == (1, math.inf)
    (alone,) = fit([replica("linear", 1)], VALUES)
    wanted = alone.head.state_dict()
    assert all(torch.equal(v, wanted[k]) for k, v in fine.head.state_dict().items())


def test_each_replica_has_a_learning_rate_and_a_weight_decay_of_its_own() -> None:
    recipes = [
        RECIPE,
        RECIPE.model_copy(update={"learning_rate": 0.001}),
        RECIPE.model_copy(update={"weight_decay": 0.5}),
    ]
    together = fit([replace(replica("linear", 0), recipe=recipe) for recipe in recipes], VALUES)
    weights = [fitted.head.state_dict()["score.weight"] for fitted in together]
    assert not any(torch.equal(a, b) for a, b in itertools.combinations(weights, 2))
    for recipe, weight in zip(recipes, weights, strict=True):
        (alone,) = fit([replace(replica("linear", 0), recipe=recipe)], VALUES)
        assert torch.equal(alone.head.state_dict()["score.weight"], weight)


def test_more_replicas_than_train_together_are_trained_all_the_same() -> None:
    seeds = list(range(MAX_STACKED + 1))
    together = states("linear", seeds)
    (alone,) = states("linear", [MAX_STACKED])
    assert all(torch.equal(alone[key], together[-1][key]) for key in alone)


def test_a_rank_out_of_range_is_refused_by_name() -> None:
    one = replica("linear", 0)
    wrong = LabelledFeatures(one.train.features, one.train.ranks + 5)
    with pytest.raises(ValueError, match=r"ranks must lie in 0\.\.6 \(num_ranks=7\)"):
        fit([replace(one, train=wrong)], VALUES)


def test_the_others_go_on_when_one_stops() -> None:
    hasty = RECIPE.model_copy(update={"patience": 1, "evaluations": 20})
    seeds = [0, 1, 2, 3]
    together = fit([replace(replica("linear", seed), recipe=hasty) for seed in seeds], VALUES)
    assert len({fitted.steps for fitted in together}) > 1
    for seed, fitted in zip(seeds, together, strict=True):
        (alone,) = fit([replace(replica("linear", seed), recipe=hasty)], VALUES)
        assert (fitted.steps, fitted.best_step) == (alone.steps, alone.best_step)
        wanted = alone.head.state_dict()
        assert all(torch.equal(v, wanted[k]) for k, v in fitted.head.state_dict().items())


class Dropping(Frozen):
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return super().forward(torch.nn.functional.dropout(features, training=self.training))


class NumpyNoise(Frozen):
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return super().forward(features + float(np.random.rand()))


class Normalizing(Frozen):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.norm = torch.nn.BatchNorm1d(D)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return super().forward(self.norm(features + 10))


class BufferAverage(Frozen):
    """Its running average is written in place."""

    average: torch.Tensor

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.register_buffer("average", torch.zeros(D))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.average.lerp_(features.mean(0), 0.1)
        return super().forward(features - self.average)


class NewBufferAverage(BufferAverage):
    """Its running average is a new buffer after each step."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.average = self.average.lerp(features.mean(0), 0.1)
        return Frozen.forward(self, features - self.average)


class AttributeAverage(Frozen):
    """Its running average is no buffer."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.average = torch.zeros(D)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        if self.training:
            self.average = self.average.lerp(features.mean(0), 0.1)
        return super().forward(features - self.average)


class Branching(Frozen):
    """What it does depends on its input, which vmap refuses."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return super().forward(features if features.sum() > 0 else 2 * features)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (Dropping, "it draws random numbers"),
        (NumpyNoise, "it draws random numbers"),
        (Normalizing, "its norm.running_mean changes in training"),
        (BufferAverage, "its average changes in training"),
        (NewBufferAverage, "its average changes in training"),
        (Branching, "it has an if on a tensor, so its seeds"),
    ],
)
def test_a_head_that_cannot_be_batched_and_does_not_say_so_is_trained_alone(
    head: type[Head], said: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("ordbench"), "propagate", True)
    _warn.cache_clear()  # a head of that name may have been warned of in another test
    replicas = [of(head, seed) for seed in range(3)]
    together = fit(replicas, VALUES)
    (line,) = {one.message for one in caplog.records}
    assert line.startswith(f"head {head.__name__}: ")
    assert said in line
    assert "trained one by one" in line

    class Saying(head):  # type: ignore[misc, valid-type]  # the same head, that says so
        batchable = False

    for seed, fitted in enumerate(together):
        (alone,) = fit([of(Saying, seed)], VALUES)
        wanted = alone.head.state_dict()
        assert all(torch.equal(v, wanted[k]) for k, v in fitted.head.state_dict().items())
        assert fitted.val_mae == alone.val_mae
        if head is not NumpyNoise:  # it is another one at each call
            positions = fitted.head.predict(fitted.head(replicas[seed].val.features)).position
            errors = (VALUES[positions.long()] - VALUES[replicas[seed].val.ranks]).abs()
            assert float(errors.float().mean()) == pytest.approx(fitted.val_mae, rel=1e-6)
    assert {one.message for one in caplog.records} == {line}


class Unreduced(Frozen):
    def loss(self, outputs: torch.Tensor, ranks: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(outputs, ranks, reduction="none")


class UnsavedAverage(BufferAverage):
    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.register_buffer("average", torch.zeros(D), persistent=False)


class InPlace(Frozen):
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return super().forward(features.mul_(2))


class InPlaceWhereTested(Frozen):
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return super().forward(features if self.training else features.mul_(2))


class InPlaceRanks(Frozen):
    def loss(self, outputs: torch.Tensor, ranks: torch.Tensor) -> torch.Tensor:
        return super().loss(outputs, ranks.clamp_(max=0))


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (InPlace, "head InPlace: it changes the features that it is given; write features ="),
        (InPlaceWhereTested, "it changes the features that it is given"),
        (InPlaceRanks, "it changes the ranks that it is given"),
        (Unreduced, r"head Unreduced: loss must return a scalar, got shape \(16,\)"),
        (AttributeAverage, "head AttributeAverage: average changes in training and is not saved"),
        (UnsavedAverage, r"register it: self.register_buffer\('average', ...\)"),
    ],
)
def test_a_head_that_would_be_trained_wrongly_is_refused_by_name(
    head: type[Head], said: str
) -> None:
    with pytest.raises(BrokenPluginError, match=said):
        fit([of(head, 0), of(head, 1)], VALUES)
