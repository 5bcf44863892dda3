"""The shared base of heads: class weights are scikit-learn's, hidden layers fold exactly."""

import itertools

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch import Tensor
from torch.nn import functional as F

from ordbench.head import Problem
from ordbench.nn import Perceptron, ScoredHead
from ordbench.task import Task

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
