from math import exp, log

import pytest
import torch
from torch.nn import functional as F

from ordbench.errors import SpecError
from ordbench_heads.ranking_adapter import RankingAdapter, pair_loss
from tests.reference.problem import problem

SCORES = torch.tensor([0.2, 1.5, -0.6, 0.4])
RANKS = torch.tensor([2, 0, 3, 2])


def test_the_loss_of_pairs_is_its_definition() -> None:
    scores, ranks = SCORES.tolist(), RANKS.tolist()
    losses = [
        log(1 + exp(-(a - b) if i > j else a - b))
        for a, i in zip(scores, ranks, strict=True)
        for b, j in zip(scores, ranks, strict=True)
    ]
    assert pair_loss(SCORES, RANKS).item() == pytest.approx(sum(losses) / 16, rel=1e-6)


def test_the_loss_is_that_of_pairs_and_a_logarithm_of_the_error() -> None:
    head = RankingAdapter(problem(5), weight=0.5)
    outputs = torch.stack([torch.tensor([0.1, -2.0, 0.7, 0.3]), SCORES], dim=1)
    estimates = head.rank_mean + head.rank_scale * outputs[:, 0]
    error = F.smooth_l1_loss(estimates, RANKS.float()).item()
    wanted = pair_loss(SCORES, RANKS).item() + 0.5 * log(1 + error)
    assert head.loss(outputs, RANKS).item() == pytest.approx(wanted, rel=1e-6)
    assert torch.equal(head.estimate(outputs), estimates.clamp(0, 4))


def test_without_a_hidden_layer_nothing_is_shared() -> None:
    with pytest.raises(SpecError, match="hidden must name at least one layer"):
        RankingAdapter(problem(), hidden=())
