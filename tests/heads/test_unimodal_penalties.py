"""CO2, HO2, QUL and ORCU: what they add for posteriors that are not unimodal."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from ordbench.errors import SpecError
from ordbench.nn import ScoredHead
from ordbench_heads.co2 import CO2, HO2, QUL, quasi_unimodal_penalties, unimodal_penalties
from ordbench_heads.orcu import ORCU, barrier
from ordbench_heads.soft_labels import SORD
from tests.reference.golden import RANKS, SCORES, survives_extremes
from tests.reference.problem import problem


@pytest.mark.parametrize(
    ("head", "golden"),
    [
        (CO2(problem(), margin=0), 0.973188),
        (CO2(problem()), 0.973938),
        (HO2(problem(), penalty_weight=1), 1.522442),
        (QUL(problem()), 0.980916),
        (ORCU(problem(), sharpness=3), 1.248128 + 0.569791),
        (ORCU(problem(), sharpness=10), 1.248128 + 0.716235),
    ],
)
def test_losses_have_the_values_of_other_codes(head: ScoredHead, golden: float) -> None:
    assert head.loss(SCORES, RANKS).item() == pytest.approx(golden, rel=3e-6)


def test_quasi_unimodal_with_entropy_has_the_authors_value() -> None:
    entropy = HO2(problem(), penalty_weight=0).loss(SCORES, RANKS)
    penalties = quasi_unimodal_penalties(SCORES.softmax(1), RANKS, 0.05).mean()
    assert (entropy + 10 * penalties).item() == pytest.approx(2.220164, rel=3e-6)


def unimodal_by_hand(p: list[float], y: int, margin: float) -> float:
    below = (margin + p[k] - p[k + 1] for k in range(y))
    above = (margin + p[k + 1] - p[k] for k in range(y, len(p) - 1))
    return sum(max(0.0, lacking) for lacking in (*below, *above))


def quasi_by_hand(p: list[float], y: int, margin: float) -> float:
    lacking = [margin + p[k] - p[y] for k in (y - 1, y + 1) if 0 <= k < len(p)]
    lacking += [margin + p[k] - p[y - 1] for k in range(y - 1)]
    lacking += [margin + p[k] - p[y + 1] for k in range(y + 2, len(p))]
    return sum(max(0.0, one) for one in lacking)


@pytest.mark.parametrize(
    ("penalties", "by_hand"),
    [(unimodal_penalties, unimodal_by_hand), (quasi_unimodal_penalties, quasi_by_hand)],
)
@pytest.mark.parametrize("num_ranks", [2, 3, 7])
def test_penalties_are_their_definition_for_every_rank(
    penalties: Callable[[Tensor, Tensor, float], Tensor],
    by_hand: Callable[[list[float], int, float], float],
    num_ranks: int,
) -> None:
    generator = torch.Generator().manual_seed(0)
    probs = torch.randn(num_ranks, num_ranks, generator=generator).softmax(1)
    got = penalties(probs, torch.arange(num_ranks), 0.05).tolist()
    wanted = [by_hand(row, rank, 0.05) for rank, row in enumerate(probs.tolist())]
    assert got == pytest.approx(wanted, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("sharpness", [1.0, 3.0, 10.0])
def test_the_barrier_has_no_jump_and_no_kink(sharpness: float) -> None:
    """Rewritings end in ``+ t`` where the formula has ``+ 1 / t``: they jump by t - 1 / t."""
    edge = -1 / sharpness**2
    around = torch.tensor([edge - 1e-6, edge + 1e-6], dtype=torch.float64, requires_grad=True)
    values = barrier(around, sharpness)
    (slopes,) = torch.autograd.grad(values.sum(), around)
    assert values[0].item() == pytest.approx(values[1].item(), abs=1e-4)
    assert slopes.tolist() == pytest.approx([sharpness, sharpness], rel=1e-3)


def test_orcu_without_wrong_neighbours_is_sord_but_for_the_barriers_reward() -> None:
    scores, ranks = torch.tensor([[0.0, 2.0, 1.0]]), torch.tensor([1])
    reward = -(torch.tensor([2.0, 1.0]).log() / 3).mean()
    sord = SORD(problem(3), squared=True).losses(scores, ranks)
    torch.testing.assert_close(ORCU(problem(3)).losses(scores, ranks), sord + reward)


@pytest.mark.parametrize("head_class", [CO2, HO2, QUL, ORCU])
def test_extremes_and_parameters(head_class: type[CO2 | HO2 | QUL | ORCU]) -> None:
    """In ORCU, the logarithm of what is not negative would give NaN for a gradient."""

    def losses(scores: Tensor, ranks: Tensor) -> Tensor:
        return head_class(problem(scores.shape[1])).losses(scores, ranks)

    survives_extremes(losses, num_ranks=(2, 3, 8, 150))
    parameters = head_class(problem(7)).parameters()
    assert sum(parameter.numel() for parameter in parameters) == (24 + 1) * 7


def test_numbers_out_of_range_are_refused() -> None:
    with pytest.raises(SpecError, match=r"penalty_weight=-1 must be at least 0"):
        QUL(problem(), penalty_weight=-1)
    with pytest.raises(SpecError, match="sharpness=0 must be above 0"):
        ORCU(problem(), sharpness=0)
