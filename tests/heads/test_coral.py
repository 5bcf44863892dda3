from dataclasses import replace
from math import exp, log

import pytest
import torch
from coral_pytorch.dataset import levels_from_labelbatch
from coral_pytorch.losses import coral_loss as peer_loss

from ordbench.nn.links import pmf_of_exceedance
from ordbench.nn.losses import threshold_losses
from ordbench_heads.coral import Coral
from tests.reference.problem import problem


def coral_loss_by_hand(logits: list[list[float]], ranks: list[int]) -> float:
    total = 0.0
    for row, rank in zip(logits, ranks, strict=True):
        for k, logit in enumerate(row):
            p_exceeds = 1 / (1 + exp(-logit))
            total -= log(p_exceeds if rank > k else 1 - p_exceeds)
    return total / len(ranks)


def test_loss_is_its_definition() -> None:
    logits, ranks = [[2.0, -1.0, -3.0], [0.5, 0.25, -0.5]], [1, 3]
    got = threshold_losses(torch.tensor(logits), torch.tensor(ranks))
    assert got.mean().item() == pytest.approx(coral_loss_by_hand(logits, ranks), rel=1e-6)


@pytest.mark.parametrize("num_ranks", [2, 3, 10, 101])
def test_loss_is_that_of_the_authors_library(num_ranks: int) -> None:
    generator = torch.Generator().manual_seed(num_ranks)
    logits = torch.randn(32, num_ranks - 1, generator=generator)
    ranks = torch.randint(num_ranks, (32,), generator=generator)
    theirs = peer_loss(logits, levels_from_labelbatch(ranks, num_ranks).to(logits.dtype))
    torch.testing.assert_close(threshold_losses(logits, ranks).mean(), theirs)


def test_a_rising_exceedance_is_put_in_order_before_it_is_differenced() -> None:
    pmf = pmf_of_exceedance(torch.tensor([[0.3, 0.9]]))
    torch.testing.assert_close(pmf, torch.tensor([[0.1, 0.6, 0.3]]))


@pytest.mark.parametrize(("hidden", "shared"), [((), 24), ((7,), 25 * 7 + 7)])
def test_the_thresholds_share_one_score(hidden: tuple[int, ...], shared: int) -> None:
    head = Coral(problem(5), hidden=hidden)
    assert sum(parameter.numel() for parameter in head.parameters()) == shared + 4


@pytest.mark.parametrize(("hidden", "shared"), [((), 24), ((7,), 25 * 7 + 7)])
def test_what_is_deployed_holds_the_score_and_no_training_statistics(
    hidden: tuple[int, ...], shared: int
) -> None:
    mean, scale = torch.linspace(-1, 1, 24), torch.tensor(3.0)
    told = replace(problem(5), feature_mean=mean, feature_scale=scale)
    head = Coral(told, hidden=hidden)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    deployed, features = head.deployed(), torch.randn(4, 24)
    assert sum(tensor.numel() for tensor in deployed.state_dict().values()) == shared + 4
    assert not any(parameter.requires_grad for parameter in deployed.parameters())
    torch.testing.assert_close(deployed(features), head(features), rtol=1e-5, atol=1e-5)
