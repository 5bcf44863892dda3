"""The regulariser is that of the authors' code and of its formula, and a number for any batch."""

import math

import pytest
import torch
from torch import Tensor

from ordbench.errors import SpecError
from ordbench_heads.ordinal_entropy import OrdinalEntropy, negative_entropy
from tests.reference.problem import problem

EMBEDDINGS = torch.tensor(
    [[1, 0, 0.5], [0, 1, -0.5], [0.2, 0.3, 0.9], [-0.7, 0.1, 0.4], [0.6, -0.2, 0.3]]
)
RANKS = torch.tensor([2, 0, 3, 4, 2])


def by_hand(embeddings: Tensor, ranks: list[int]) -> float:
    def unit(row: list[float]) -> list[float]:
        return [value / math.hypot(*row) for value in row]

    rows = embeddings.double().tolist()
    centres = {
        rank: unit([sum(values) for values in zip(*members, strict=True)])
        for rank in sorted(set(ranks))
        for members in [[row for row, own in zip(rows, ranks, strict=True) if own == rank]]
    }
    pairs = [(a, b) for a in centres for b in centres if a < b]
    gaps = [b - a for a, b in pairs]
    spread = [(b - a - min(gaps)) / max(gaps) * math.dist(centres[a], centres[b]) for a, b in pairs]
    off = [math.dist(unit(row), centres[rank]) for row, rank in zip(rows, ranks, strict=True)]
    apart = [distance for distance in off if distance > 1e-6]
    return sum(apart) / max(len(apart), 1) - sum(spread) / max(len(spread), 1)


def test_it_has_the_value_of_the_authors_code() -> None:
    assert negative_entropy(EMBEDDINGS, RANKS, 5).item() == pytest.approx(-0.308019, abs=1e-6)


@pytest.mark.parametrize("num_ranks", [2, 4, 150])
def test_it_is_its_definition(num_ranks: int) -> None:
    torch.manual_seed(num_ranks)
    embeddings, ranks = torch.randn(9, 4), torch.randint(num_ranks, (9,))
    got = negative_entropy(embeddings, ranks, num_ranks).item()
    assert got == pytest.approx(by_hand(embeddings, ranks.tolist()), abs=1e-5)


@pytest.mark.parametrize("ranks", [[1], [3, 3, 3], [0, 1, 2, 4]], ids=str)
def test_batches_for_which_the_authors_code_gives_nan_have_a_number(ranks: list[int]) -> None:
    embeddings = EMBEDDINGS[: len(ranks)].clone().requires_grad_()
    loss = negative_entropy(embeddings, torch.tensor(ranks), 5)
    assert loss.item() == pytest.approx(by_hand(embeddings.detach(), ranks), abs=1e-5)
    torch.autograd.backward(loss)
    assert embeddings.grad is not None
    assert embeddings.grad.isfinite().all()


def test_identical_embeddings_have_finite_gradients() -> None:
    same = torch.ones(5, 3, requires_grad=True)
    torch.autograd.backward(negative_entropy(same, RANKS, 5))
    assert same.grad is not None
    assert same.grad.isfinite().all()


def test_the_loss_is_a_squared_error_and_the_weighted_regulariser() -> None:
    head = OrdinalEntropy(problem(5), hidden=3, weight=0.5)
    mean, scale = float(head.rank_mean), float(head.rank_scale)
    with torch.no_grad():
        head.slope.copy_(torch.tensor([1.0, -2.0, 0.5]))
    numbers = [one - 2 * two + three / 2 for one, two, three in EMBEDDINGS.tolist()]
    wanted = [(rank - mean) / scale for rank in RANKS.tolist()]
    error = sum((a - b) ** 2 for a, b in zip(numbers, wanted, strict=True)) / 5
    loss = head.loss(EMBEDDINGS, RANKS).item()
    assert loss == pytest.approx(error + 0.5 * -0.308019, abs=1e-5)
    estimates = [min(max(mean + scale * number, 0), 4) for number in numbers]
    assert head.estimate(EMBEDDINGS).tolist() == pytest.approx(estimates, abs=1e-5)


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(SpecError, match=r"weight=-0\.1 must be at least 0"):
        OrdinalEntropy(problem(), weight=-0.1)
