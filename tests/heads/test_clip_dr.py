"""The rank loss is that of the authors' code, whose cases stand here as they are written there."""

from math import exp, log

import pytest
import torch

from ordbench.nn.losses import two_way_loss
from ordbench_heads.clip_dr import ClipDR, neighbour_losses
from tests.reference.golden import RANKS, SCORES
from tests.reference.problem import problem

# For each of the five ranks: which logits are not 0, the one that is to win first. Image side,
# then text side, each at three distances.
CASES: dict[int, list[tuple[int, ...]]] = {
    0: [(0, 1), (1, 2), (2, 3), (0,)],
    1: [(1, 2), (2, 3), (3, 4), (1, 0), (0,)],
    2: [(2, 3), (3, 4), (4,), (2, 1), (1, 0), (0,)],
    3: [(3, 4), (4,), (3, 2), (2, 1), (1, 0)],
    4: [(4,), (4, 3), (3, 2), (2, 1)],
}


def by_hand(row: list[float], rank: int) -> float:
    total = 0.0
    for winner, *other in CASES[rank]:
        kept = [z if k in (winner, *other) else 0.0 for k, z in enumerate(row)]
        total += log(sum(map(exp, kept))) - kept[winner]
    return total


@pytest.mark.parametrize("rank", range(5))
def test_the_loss_of_a_rank_is_that_of_the_authors_code(rank: int) -> None:
    got = neighbour_losses(3 * SCORES, torch.full((4,), rank))
    wanted = [by_hand(row, rank) for row in (3 * SCORES).double().tolist()]
    assert got.tolist() == pytest.approx(wanted, rel=1e-5)


def test_the_loss_adds_both_ways_and_neighbours() -> None:
    head = ClipDR(problem(5))
    wanted = two_way_loss(SCORES, RANKS) + neighbour_losses(SCORES, RANKS).sum() / 4
    torch.testing.assert_close(head.loss(SCORES, RANKS), wanted)
    trained = {name for name, one in head.named_parameters() if one.requires_grad}
    assert trained == {"context", "names"}
