"""CORN and CONDOR: the probability of each rank is a product of conditional ones."""

from math import exp, log

import pytest
import torch
from condor_pytorch import CondorOrdinalCrossEntropy, levels_from_labelbatch, ordinal_softmax
from condor_pytorch.losses import condor_negloglikeloss
from coral_pytorch.dataset import corn_label_from_logits
from coral_pytorch.losses import corn_loss as corn_peer

from ordbench.nn.links import log_pmf_of_conditionals
from ordbench_heads.condor import CONDOR, condor_losses
from ordbench_heads.corn import CORN, corn_losses
from tests.reference.golden import RANKS, THRESHOLDS, survives_extremes
from tests.reference.problem import problem


def drawn(num_ranks: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(num_ranks)
    logits = 2 * torch.randn(32, num_ranks - 1, generator=generator)
    return logits, torch.randint(num_ranks, (32,), generator=generator)


def above_by_hand(row: list[float], k: int) -> float:
    probability = 1.0
    for logit in row[: k + 1]:
        probability /= 1 + exp(-logit)
    return probability


@pytest.mark.parametrize("num_ranks", [2, 3, 10, 101])
def test_corn_is_that_of_the_authors_library(num_ranks: int) -> None:
    logits, ranks = drawn(num_ranks)
    theirs = corn_peer(logits, ranks, num_ranks)
    torch.testing.assert_close(corn_losses(logits, ranks, "sets").mean(), theirs)


@pytest.mark.parametrize("num_ranks", [2, 3, 10, 101])
def test_corn_over_images_is_the_likelihood_of_condors_authors(num_ranks: int) -> None:
    logits, ranks = drawn(num_ranks)
    theirs = condor_negloglikeloss(logits, levels_from_labelbatch(ranks, num_ranks))
    torch.testing.assert_close(corn_losses(logits, ranks, "images").mean(), theirs)


def test_corn_costs_what_both_codes_say() -> None:
    sets = corn_losses(THRESHOLDS, RANKS, "sets").mean().item()
    images = corn_losses(THRESHOLDS, RANKS, "images").mean().item()
    assert sets == pytest.approx(0.79507287, abs=1e-6)
    assert images == pytest.approx(2.38521861, abs=1e-6)
    assert sets * 12 == pytest.approx(images * 4)


def test_condor_costs_what_the_authors_code_says() -> None:
    assert condor_losses(THRESHOLDS, RANKS).mean().item() == pytest.approx(3.9083012, abs=2e-6)
    theirs = CondorOrdinalCrossEntropy(THRESHOLDS, levels_from_labelbatch(RANKS, 5))
    torch.testing.assert_close(condor_losses(THRESHOLDS, RANKS).mean(), theirs)


def test_condor_is_its_definition() -> None:
    logits, ranks = drawn(6)
    for row, rank, loss in zip(logits.tolist(), ranks, condor_losses(logits, ranks), strict=True):
        above = [above_by_hand(row, k) for k in range(5)]
        wanted = -sum(log(p if rank > k else 1 - p) for k, p in enumerate(above))
        assert loss.item() == pytest.approx(wanted, rel=1e-5)


def test_condor_goes_on_costing_where_the_authors_code_stops_at_16_nats() -> None:
    logits = torch.tensor([[40.0]], requires_grad=True)
    loss = condor_losses(logits, torch.tensor([0]))
    torch.autograd.backward(loss.sum())
    assert loss.item() == pytest.approx(40)
    assert logits.grad is not None
    assert logits.grad.item() == pytest.approx(1)


def test_the_probabilities_are_those_of_condors_library() -> None:
    logits, _ = drawn(7)
    torch.testing.assert_close(log_pmf_of_conditionals(logits).exp(), ordinal_softmax(logits))


def test_the_median_is_the_label_of_corns_library() -> None:
    head = CORN(problem(5))
    assert head.predict(THRESHOLDS).position.tolist() == [2, 1, 1, 0]
    assert corn_label_from_logits(THRESHOLDS).tolist() == [2, 1, 1, 0]


@pytest.mark.parametrize("head_class", [CORN, CONDOR])
def test_parameters_and_start(head_class: type[CORN | CONDOR]) -> None:
    head = head_class(problem(61))
    assert sum(parameter.numel() for parameter in head.parameters()) == (24 + 1) * 60
    start = head.posterior(head(torch.randn(2, 24)))
    torch.testing.assert_close(start, torch.full((2, 61), 1 / 61))


def test_extremes() -> None:
    survives_extremes(condor_losses, fewer=1)
    survives_extremes(lambda logits, ranks: corn_losses(logits, ranks, "sets"), fewer=1)


def test_huge_log_odds_have_a_proper_mass_function() -> None:
    logits = 1e4 * torch.randn(20, 149, generator=torch.Generator().manual_seed(0))
    pmf = CORN(problem(150)).posterior(logits)
    assert (pmf >= 0).all()
    torch.testing.assert_close(pmf.sum(1), torch.ones(20))
