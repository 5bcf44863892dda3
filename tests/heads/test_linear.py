from math import exp, log

import pytest
import torch

from ordbench.head import Problem
from ordbench.task import Task
from ordbench_heads.linear import Linear

TASK = Task(rank_names=("a", "b", "c"), rank_values=(0, 1, 2), unit="grade", context="it is")


def problem(in_features: int) -> Problem:
    return Problem(
        in_features=in_features,
        task=TASK,
        train_counts=torch.ones(3, dtype=torch.int64),
        feature_mean=torch.arange(in_features, dtype=torch.float32),
        feature_scale=torch.tensor(2.0),
    )


def test_loss_is_the_negative_log_likelihood() -> None:
    rows, ranks = [[0.5, -1.0, 2.0], [0.0, 0.0, 1.0]], [1, 2]
    by_hand = -sum(
        log(exp(row[rank]) / sum(exp(logit) for logit in row))
        for row, rank in zip(rows, ranks, strict=True)
    )
    loss = Linear(problem(4)).loss(torch.tensor(rows), torch.tensor(ranks))
    assert loss.item() == pytest.approx(by_hand / 2, rel=1e-6)


def test_an_untrained_head_finds_every_rank_equally_likely() -> None:
    head = Linear(problem(4))
    assert head.posterior(head(torch.randn(5, 4))).tolist() == [[pytest.approx(1 / 3)] * 3] * 5


def test_deployed_is_one_plain_layer_with_the_same_outputs() -> None:
    torch.manual_seed(0)
    head = Linear(problem(4))
    with torch.no_grad():
        head.get_parameter("score.weight").normal_()
    features = torch.randn(6, 4)
    deployed = head.deployed()
    assert isinstance(deployed, torch.nn.Linear)
    torch.testing.assert_close(deployed(features), head(features))
