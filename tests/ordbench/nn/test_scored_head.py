"""The shared base of heads: class weights are scikit-learn's, hidden layers fold exactly."""

import itertools
from typing import Literal

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_class_weight
from torch import Tensor
from torch.nn import functional as F

from ordbench.errors import SpecError
from ordbench.head import Problem
from ordbench.nn import Perceptron, ScoredHead, StandardizedLinear
from ordbench.recipe import Recipe
from ordbench.task import Task
from ordbench.training.trainer import LabelledFeatures, Replica, fit, problem_of

K, D = 4, 10


def problem(counts: list[int]) -> Problem:
    names = tuple("abcd")
    torch.manual_seed(0)
    return Problem(
        in_features=D,
        task=Task(rank_names=names, rank_values=(0, 1, 2, 3), unit="ranks", context="it is"),
        train_counts=torch.tensor(counts),
        feature_mean=torch.randn(D),
        feature_scale=torch.tensor(2.0),
    )


class Softmax(ScoredHead):
    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        return F.cross_entropy(outputs, ranks, reduction="none")

    def posterior(self, outputs: Tensor) -> Tensor:
        return outputs.softmax(-1)


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    ranks = torch.tensor([0] * 5 + [1] * 2 + [2] + [3] * 3)
    wanted = compute_class_weight("balanced", classes=np.arange(K), y=ranks.numpy())
    head = Softmax(problem([5, 2, 1, 3]), K, class_weight="balanced")
    outputs = torch.randn(len(ranks), K)
    weights = torch.as_tensor(wanted, dtype=torch.float32)
    torch.testing.assert_close(head.loss(outputs, ranks), F.cross_entropy(outputs, ranks, weights))


def test_an_absent_rank_does_no_harm() -> None:
    head = Softmax(problem([5, 0, 1, 3]), K, class_weight="balanced")
    ranks = torch.tensor([0, 0, 2, 3])
    outputs = torch.randn(4, K)
    assert head.loss(outputs, ranks).isfinite()
    plain = Softmax(problem([5, 0, 1, 3]), K)
    torch.testing.assert_close(plain.loss(outputs, ranks), F.cross_entropy(outputs, ranks))


def test_the_prior_is_a_gaussian_on_the_weights_of_features_of_length_one() -> None:
    """By hand: half the squared length of an output's weights, on average, over 11 images."""
    head = Softmax(problem([5, 2, 1, 3]), K, l2=3.0)
    outputs, ranks = torch.randn(2, K), torch.tensor([0, 2])
    plain = head.loss(outputs, ranks).item()
    assert isinstance(head.score, StandardizedLinear)
    torch.nn.init.normal_(head.score.weight, std=0.01)
    # The weights of features that are centred and divided by the root of their mean squared length.
    weights = head.score.fold().weight * 2 * D**0.5
    wanted = sum(weight**2 for weight in weights.flatten().tolist()) / (2 * K * 11)
    assert head.loss(outputs, ranks).item() - plain == pytest.approx(3 * wanted, rel=1e-4)


@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_the_prior_is_added_to_weighted_losses_too_and_may_be_left_out(
    class_weight: Literal["balanced"] | None,
) -> None:
    outputs, ranks = torch.randn(3, K), torch.tensor([0, 0, 2])

    def loss(l2: float) -> float:
        head = Softmax(problem([2, 0, 1, 0]), K, class_weight=class_weight, l2=l2)
        assert isinstance(head.score, StandardizedLinear)
        torch.nn.init.constant_(head.score.weight, 0.01)
        return head.loss(outputs, ranks).item()

    assert loss(2.0) - loss(0.0) == pytest.approx(2 * 1.28**2 / (2 * 3), rel=1e-4)


def test_a_negative_prior_is_refused() -> None:
    with pytest.raises(SpecError, match=r"l2=-0\.1 must be at least 0"):
        Softmax(problem([1, 1, 1, 1]), K, l2=-0.1)


def test_hidden_layers_have_no_prior() -> None:
    score = Softmax(problem([1, 1, 1, 1]), K, hidden=(7,)).score
    assert isinstance(score, Perceptron)
    assert score.penalty() == 0
    for parameter in score.layers[-1].parameters():
        torch.nn.init.ones_(parameter)
    assert score.penalty().item() == pytest.approx(128**2 / (2 * 4))


def test_the_posterior_is_that_of_scikit_learns_logistic_regression() -> None:
    """There, C weighs the sum of the losses against half the squared length of all weights."""
    torch.manual_seed(1)
    features, ranks = torch.randn(40, D), torch.arange(40) % K
    features[:, 0] += ranks
    part = LabelledFeatures(features, ranks)
    told = problem_of(part, problem([10] * K).task, aligned=False)
    recipe = Recipe(learning_rate=0.01, min_steps=1000, evaluations=1)
    (fitted,) = fit([Replica(Softmax(told, K, l2=0.5), part, part, recipe, 0)], torch.arange(4.0))
    scaled = (features - told.feature_mean) / (told.feature_scale * D**0.5)
    reference = LogisticRegression(C=K / 0.5, tol=1e-8).fit(scaled.numpy(), ranks.numpy())
    wanted = torch.as_tensor(reference.predict_proba(scaled.numpy()), dtype=torch.float32)
    found = fitted.head.predict(fitted.head(features)).posterior
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-3)


@pytest.mark.parametrize("hidden", [(), (7,), (6, 5)])
def test_what_is_deployed_has_no_statistics_and_the_same_scores(hidden: tuple[int, ...]) -> None:
    head = Softmax(problem([1, 1, 1, 1]), K, hidden=hidden)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter += torch.randn_like(parameter)
    features = 3 * torch.randn(6, D) + 1
    deployed = head.deployed()
    torch.testing.assert_close(deployed(features), head(features), rtol=1e-4, atol=1e-4)
    widths = [D, *hidden, K]
    pairs = itertools.pairwise(widths)
    assert sum(p.numel() for p in deployed.parameters()) == sum((a + 1) * b for a, b in pairs)


def test_hidden_values_have_variance_one_at_the_start() -> None:
    told = problem([1, 1, 1, 1])
    head = Softmax(told, K, hidden=(2000,))
    features = told.feature_mean + 2 * torch.randn(500, D)
    assert isinstance(head.score, Perceptron)
    assert head.score.layers[0](features).var().item() == pytest.approx(1, rel=0.1)
    assert head(features).abs().max() == 0
