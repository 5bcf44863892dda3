import pytest
import torch
from coral_pytorch.dataset import levels_from_labelbatch
from coral_pytorch.losses import coral_loss as peer_loss

from ordbench.nn.losses import threshold_losses
from ordbench_heads.or_cnn import ORCNN
from tests.reference.golden import RANKS, THRESHOLDS, survives_extremes
from tests.reference.problem import problem


def test_the_loss_is_that_of_the_code_of_paplham_and_franc() -> None:
    assert threshold_losses(THRESHOLDS, RANKS).mean().item() == pytest.approx(2.612384, abs=1e-6)
    theirs = peer_loss(THRESHOLDS, levels_from_labelbatch(RANKS, 5))
    torch.testing.assert_close(threshold_losses(THRESHOLDS, RANKS).mean(), theirs)


def test_the_loss_of_huge_log_odds_is_finite() -> None:
    """With sigmoids in place of logits it would not be."""
    survives_extremes(threshold_losses, fewer=1)


def test_there_is_a_weight_vector_and_a_bias_for_each_threshold() -> None:
    head = ORCNN(problem(7))
    assert sum(parameter.numel() for parameter in head.parameters()) == (24 + 1) * 6


def test_all_ranks_start_equally_likely() -> None:
    head = ORCNN(problem(7))
    torch.testing.assert_close(head.posterior(head(torch.randn(3, 24))), torch.full((3, 7), 1 / 7))


def test_the_median_is_the_papers_estimate_even_where_probabilities_rise() -> None:
    outputs = 2 * torch.randn(200, 6, generator=torch.Generator().manual_seed(0))
    assert (outputs.diff(dim=1) > 0).any()
    position = ORCNN(problem(7)).predict(outputs).position
    assert torch.equal(position, (outputs > 0).sum(1).to(position.dtype))
