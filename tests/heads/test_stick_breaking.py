"""Probabilities and loss are those of other codes, and not those of dlordinal's layer."""

from math import exp, log

import pytest
import torch
from dlordinal.output_layers import StickBreakingLayer

from ordbench.nn.links import log_pmf_of_conditionals
from ordbench_heads.corn import corn_losses
from ordbench_heads.stick_breaking import StickBreaking, stick_breaking_losses
from tests.reference.golden import RANKS, THRESHOLDS, survives_extremes
from tests.reference.problem import problem


def pmf_by_hand(row: list[float]) -> list[float]:
    pmf, left = [], 1.0
    for logit in row:
        share = 1 / (1 + exp(-logit))
        pmf.append(left * share)
        left *= 1 - share
    return [*pmf, left]


def test_probabilities_are_shares_of_what_is_left() -> None:
    wanted = torch.tensor([pmf_by_hand(row) for row in THRESHOLDS.tolist()])
    torch.testing.assert_close(StickBreaking(problem(5)).posterior(THRESHOLDS), wanted)


def test_the_loss_is_that_of_the_code_of_cardoso_cruz_and_albuquerque() -> None:
    losses = stick_breaking_losses(THRESHOLDS, RANKS)
    assert losses.mean().item() == pytest.approx(3.849949, abs=1e-6)


def test_the_loss_is_its_definition() -> None:
    wanted = [
        -sum(log(p if k == rank else 1 - p) for k, p in enumerate(pmf_by_hand(row)))
        for row, rank in zip(THRESHOLDS.tolist(), RANKS.tolist(), strict=True)
    ]
    torch.testing.assert_close(stick_breaking_losses(THRESHOLDS, RANKS), torch.tensor(wanted))


def test_its_likelihood_is_that_of_condor_with_signs_reversed() -> None:
    head = StickBreaking(problem(5), loss="nll")
    wanted = corn_losses(-THRESHOLDS, RANKS, "images")
    torch.testing.assert_close(head.losses(THRESHOLDS, RANKS), wanted)


def test_the_layer_of_dlordinal_is_another_function() -> None:
    """Zeros give it .516 .258 .129 .065 .032, and half of each share is lost again."""
    layer = StickBreakingLayer(1, 5)
    theirs = layer.get_stick_logits(torch.full((1, 5), 0.5)).softmax(1)
    wanted = torch.tensor([[0.516, 0.258, 0.129, 0.065, 0.032]])
    torch.testing.assert_close(theirs, wanted, atol=1e-3, rtol=0)
    ours = log_pmf_of_conditionals(torch.zeros(1, 4)).exp()
    torch.testing.assert_close(ours, torch.tensor([[0.5, 0.25, 0.125, 0.0625, 0.0625]]))


@pytest.mark.parametrize("loss", ["bce", "nll"])
def test_extremes_have_finite_losses_and_gradients(loss: str) -> None:
    survives_extremes(
        lambda outputs, ranks: (
            StickBreaking(problem(outputs.shape[1] + 1), loss=loss)  # pyright: ignore
            .to(outputs.dtype)
            .losses(outputs, ranks)
        ),
        fewer=1,
    )


def test_a_wrong_certainty_is_still_corrected() -> None:
    """1 - p is 0 in floating point here, and its logarithm would have no gradient."""
    logits = torch.tensor([[40.0, 0.0]], requires_grad=True)
    torch.autograd.backward(stick_breaking_losses(logits, torch.tensor([1])).sum())
    assert logits.grad is not None
    assert logits.grad[0, 0] > 1.5


@pytest.mark.parametrize("num_ranks", [2, 5, 101])
def test_an_untrained_head_finds_every_rank_equally_likely(num_ranks: int) -> None:
    told = problem(num_ranks)
    head = StickBreaking(told)
    posterior = head.posterior(head(torch.randn(2, told.in_features)))
    torch.testing.assert_close(posterior, torch.full((2, num_ranks), 1 / num_ranks))
    parameters = sum(parameter.numel() for parameter in head.parameters())
    assert parameters == (told.in_features + 1) * (num_ranks - 1)
