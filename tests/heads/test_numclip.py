"""Both losses have golden values and a second writing; what is trained is what the card says."""

from math import exp, log

import pytest
import torch

from ordbench.errors import SpecError
from ordbench.prompts.feature_adapter import FeatureAdapter
from ordbench.prompts.layout import embed_text
from ordbench_heads.numclip import NumCLIP, weighted_two_way_loss
from tests.reference.golden import RANKS, SCORES
from tests.reference.problem import problem
from tests.reference.text_tower import random_clip

LOGITS = 3 * SCORES


def weights_by_hand(ranks: list[int], num_ranks: int) -> tuple[list[list[float]], ...]:
    steps = [[abs(k - rank) for k in range(num_ranks)] for rank in ranks]
    of_rank = [sum(column) for column in zip(*steps, strict=True)]
    over_ranks = [[(num_ranks - 1) * d / sum(row) if d else 1.0 for d in row] for row in steps]
    over_images = [
        [(num_ranks - 1) * d / of_rank[k] if d else 1.0 for k, d in enumerate(row)] for row in steps
    ]
    return over_ranks, over_images


def test_the_losses_have_golden_values() -> None:
    """0.472229 and 0.390713 are the two parts of the authors' code, run on its own."""
    code = weighted_two_way_loss(LOGITS, RANKS).item()
    assert code == pytest.approx(0.472229 + 0.390713, abs=2e-6)
    paper, authors = (NumCLIP(problem(5), form=form) for form in ("paper", "code"))
    assert paper.loss(LOGITS, RANKS).item() == pytest.approx(0.484376, abs=1e-6)
    assert authors.loss(LOGITS, RANKS).item() == code


@pytest.mark.parametrize("ranks", [[2, 0, 3, 4], [1, 1, 4, 2], [3, 3, 3, 3]], ids=str)
def test_the_losses_are_their_definitions(ranks: list[int]) -> None:
    over_ranks, over_images = weights_by_hand(ranks, 5)
    rows = LOGITS.double().tolist()
    cross_entropy = paper = 0.0
    for row, rank, counts in zip(rows, ranks, over_ranks, strict=True):
        scaled = [exp(z * w) for z, w in zip(row, counts, strict=True)]
        cross_entropy -= log(scaled[rank] / sum(scaled)) / 4
        shares = [w * exp(z) for z, w in zip(row, counts, strict=True)]
        paper -= log(shares[rank] / sum(shares)) / 4
    divergence = 0.0
    for k in set(ranks):
        scaled = [exp(row[k] * counts[k]) for row, counts in zip(rows, over_images, strict=True)]
        wanted = [exp(10.0 * (rank == k)) for rank in ranks]
        for target, got in zip(wanted, scaled, strict=True):
            share = target / sum(wanted)
            divergence += share * (log(share) - log(got / sum(scaled))) / len(set(ranks))
    found = weighted_two_way_loss(LOGITS, torch.tensor(ranks)).item()
    assert found == pytest.approx(cross_entropy + divergence, rel=1e-5)
    loss = NumCLIP(problem(5)).loss(LOGITS, torch.tensor(ranks)).item()
    assert loss == pytest.approx(paper, rel=1e-5)


def test_it_trains_the_names_and_an_adapter_and_keeps_the_context() -> None:
    head = NumCLIP(problem(3, names=("young", "middle_aged", "old")))
    trained = {name for name, one in head.named_parameters() if one.requires_grad}
    assert trained == {"names", "projection.narrow.weight", "projection.widen.weight"}
    names = [embed_text(random_clip(), name) for name in ("young", "middle aged", "old")]
    assert torch.equal(head.names, torch.cat(names))
    assert isinstance(head.projection, FeatureAdapter)
    assert head.projection.ratio == 0.8


def test_features_of_another_space_have_a_projection_instead() -> None:
    assert not isinstance(NumCLIP(problem(aligned=False)).projection, FeatureAdapter | None)


@pytest.mark.parametrize("ratio", [0.0, 1.1])
def test_a_ratio_beyond_its_range_is_refused(ratio: float) -> None:
    with pytest.raises(SpecError, match=rf"ratio={ratio} must be above 0 and at most 1"):
        NumCLIP(problem(), ratio=ratio)
