"""EMD, weighted kappa, CDW-CE, SLACE, unimodal-concentrated: losses of the ranks' probabilities."""

import math
from collections.abc import Callable

import pytest
import torch
from dlordinal.losses import CDWCELoss, EMDLoss, SLACELoss, WKLoss
from sklearn.metrics import cohen_kappa_score
from torch import Tensor

from ordbench.errors import SpecError
from ordbench_heads.cdw_ce import CDWCE, cdw_losses
from ordbench_heads.emd import EMD, emd_losses
from ordbench_heads.slace import SLACE, slace_losses
from ordbench_heads.unimodal_concentrated import (
    UnimodalConcentrated,
    unimodal_concentrated_losses,
)
from ordbench_heads.wk import WeightedKappa, kappa_losses
from tests.reference.golden import RANKS, SCORES, survives_extremes
from tests.reference.problem import problem

Loss = Callable[[Tensor, Tensor], Tensor]


def quadratic_kappa(scores: Tensor, ranks: Tensor) -> Tensor:
    return kappa_losses(scores.softmax(1), ranks, 2)


def drawn(num_ranks: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(num_ranks)
    scores = 2 * torch.randn(32, num_ranks, generator=generator)
    return scores, torch.randint(num_ranks, (32,), generator=generator)


@pytest.mark.parametrize(
    ("loss", "golden"),
    [
        (emd_losses, 0.48439795),
        (quadratic_kappa, 0.66224),
        (lambda s, r: kappa_losses(s.softmax(1), r, 1), 0.695149),
        (lambda s, r: 4**0.5 * cdw_losses(s, r, 0.5), 0.873291),
        (lambda s, r: 4 * cdw_losses(s, r, 1), 1.236329),
        (lambda s, r: 4**2 * cdw_losses(s, r, 2), 2.984256),
        (lambda s, r: 4**5 * cdw_losses(s, r, 5), 97.878564),
        (lambda s, r: slace_losses(s, r, 0.5), 0.547515),
        (lambda s, r: slace_losses(s, r, 1), 0.701133),
        (lambda s, r: slace_losses(s, r, 2), 0.866651),
        (lambda s, r: slace_losses(s, r, 3), 0.932581),
        (lambda s, r: unimodal_concentrated_losses(s, r, 1000, floor=1e-10), 25.557499),
    ],
)
def test_losses_are_those_of_other_codes(loss: Loss, golden: float) -> None:
    assert loss(SCORES, RANKS).mean().item() == pytest.approx(golden, rel=1e-5)


@pytest.mark.parametrize("num_ranks", [2, 3, 10, 61])
def test_losses_are_those_of_dlordinal(num_ranks: int) -> None:
    scores, ranks = drawn(num_ranks)
    wanted = {
        emd_losses: EMDLoss(num_ranks),
        quadratic_kappa: WKLoss(num_ranks, use_logits=True),
        lambda s, r: (num_ranks - 1) ** 1.5 * cdw_losses(s, r, 1.5): CDWCELoss(num_ranks, 1.5),
        lambda s, r: slace_losses(s, r, 0.7): SLACELoss(0.7, num_ranks),
    }
    for ours, theirs in wanted.items():
        torch.testing.assert_close(ours(scores, ranks).mean(), theirs(scores, ranks).float())


@pytest.mark.parametrize(
    "loss",
    [
        emd_losses,
        quadratic_kappa,
        lambda scores, ranks: cdw_losses(scores, ranks, 1.5),
        lambda scores, ranks: cdw_losses(scores, ranks, 5),
        lambda scores, ranks: slace_losses(scores, ranks, 1),
        lambda scores, ranks: unimodal_concentrated_losses(scores, ranks, 10),
    ],
)
def test_extremes(loss: Loss) -> None:
    """exp(score) would overflow, log(1 - p) be infinite, one rank a batch divide by zero."""
    survives_extremes(loss)


@pytest.mark.parametrize(("power", "weights"), [(1, "linear"), (2, "quadratic")])
def test_kappa_of_one_hot_posteriors_is_that_of_scikit_learn(power: int, weights: str) -> None:
    said, ranks = torch.tensor([0, 2, 1, 4, 3, 3, 1]), torch.tensor([0, 1, 1, 3, 4, 0, 2])
    loss = kappa_losses(torch.eye(5)[said], ranks, power).mean().item()
    kappa = cohen_kappa_score(ranks.numpy(), said.numpy(), weights=weights)
    assert loss == pytest.approx(1 - kappa, rel=1e-5)


def test_cdw_still_pulls_where_one_minus_p_rounds_to_zero() -> None:
    scores = torch.tensor([[0.0, 40.0]], requires_grad=True)
    loss = cdw_losses(scores, torch.tensor([0]), 1.5)
    torch.autograd.backward(loss.sum())
    assert loss.item() == pytest.approx(40)
    assert scores.grad is not None
    assert scores.grad.tolist() == [pytest.approx([-1, 1])]


def slace_by_hand(row: list[float], rank: int, alpha: float) -> float:
    exps = [math.exp(score) for score in row]
    apart = [abs(k - rank) for k in range(len(row))]
    total = 0.0
    for far in apart:
        within = sum(e for e, d in zip(exps, apart, strict=True) if d <= far) / sum(exps)
        total -= math.exp(-alpha * far) * math.log(within)
    return total / sum(math.exp(-alpha * far) for far in apart)


@pytest.mark.parametrize("rank", range(6))
def test_slace_is_its_definition_at_the_ends_and_between(rank: int) -> None:
    row = [0.3, -1.0, 2.0, 0.5, -0.2, 1.0]
    got = slace_losses(torch.tensor([row]), torch.tensor([rank]), 0.4)
    assert got.item() == pytest.approx(slace_by_hand(row, rank, 0.4), rel=1e-5)


def unimodal_concentrated_by_hand(row: list[float], rank: int, weight: float) -> float:
    scale = sum(map(math.exp, row))
    p = [math.exp(score) / scale for score in row]
    mean = sum(k * pk for k, pk in enumerate(p))
    variance = sum(pk * (k - mean) ** 2 for k, pk in enumerate(p)) + 1 / 12
    wrong = sum(max(0, p[k] - p[k + 1]) for k in range(rank))
    wrong += sum(max(0, p[k + 1] - p[k]) for k in range(rank, len(p) - 1))
    return (math.log(variance) + (mean - rank) ** 2 / variance) / 2 + weight * wrong


def test_unimodal_concentrated_is_its_definition() -> None:
    rows = zip(SCORES.tolist(), RANKS.tolist(), strict=True)
    wanted = [unimodal_concentrated_by_hand(row, rank, 7) for row, rank in rows]
    got = unimodal_concentrated_losses(SCORES, RANKS, 7).tolist()
    assert got == pytest.approx(wanted, rel=1e-5)


@pytest.mark.parametrize("head_class", [EMD, WeightedKappa, CDWCE, SLACE, UnimodalConcentrated])
def test_there_is_a_weight_vector_and_a_bias_for_each_rank(
    head_class: type[EMD | WeightedKappa | CDWCE | SLACE | UnimodalConcentrated],
) -> None:
    parameters = head_class(problem(7)).parameters()
    assert sum(parameter.numel() for parameter in parameters) == (24 + 1) * 7


@pytest.mark.parametrize("head_class", [CDWCE, SLACE])
def test_an_alpha_that_is_not_positive_is_refused(head_class: type[CDWCE | SLACE]) -> None:
    with pytest.raises(SpecError, match="alpha=0 must be above 0"):
        head_class(problem(), alpha=0)
