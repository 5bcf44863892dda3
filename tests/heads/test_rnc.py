"""The loss is that of the authors' code and of its formula; the two stages are as said."""

import math

import pytest
import torch
from torch import Tensor

from ordbench.training.trainer import LabelledFeatures, Replica, fit
from ordbench_heads.rnc import RankNContrast, rank_n_contrast_loss
from tests.reference.problem import problem

EMBEDDINGS = torch.tensor([[1, 0, 0.5], [0, 1, -0.5], [0.2, 0.3, 0.9], [-0.7, 0.1, 0.4]])
RANKS = torch.tensor([2, 0, 3, 4])


def by_hand(embeddings: Tensor, ranks: list[int], temperature: float) -> float:
    points, total, pairs = embeddings.double().tolist(), 0.0, 0
    for i in range(len(ranks)):
        similarity = [-math.dist(points[i], other) / temperature for other in points]
        for j in range(len(ranks)):
            if i == j:
                continue
            far = [
                k
                for k in range(len(ranks))
                if k != i and abs(ranks[k] - ranks[i]) >= abs(ranks[j] - ranks[i])
            ]
            total -= similarity[j] - math.log(sum(math.exp(similarity[k]) for k in far))
            pairs += 1
    return total / pairs


@pytest.mark.parametrize(
    ("shift", "golden"), [([0.1, -0.2, 0.05], 1.365759), ([0.0, 0.0, 0.0], 1.35288)]
)
def test_two_views_cost_what_the_authors_code_says(shift: list[float], golden: float) -> None:
    views = torch.cat([EMBEDDINGS, EMBEDDINGS + torch.tensor(shift)])
    assert rank_n_contrast_loss(views, RANKS.repeat(2)).item() == pytest.approx(golden, rel=1e-5)


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_the_loss_is_its_definition(temperature: float) -> None:
    torch.manual_seed(0)
    embeddings, ranks = torch.randn(9, 4), torch.randint(4, (9,))
    got = rank_n_contrast_loss(embeddings, ranks, temperature).item()
    assert got == pytest.approx(by_hand(embeddings, ranks.tolist(), temperature), rel=1e-5)


def test_one_image_costs_nothing_and_identical_ones_have_finite_gradients() -> None:
    assert rank_n_contrast_loss(torch.ones(1, 3), torch.tensor([1])).item() == 0
    same = torch.ones(4, 3, requires_grad=True)
    torch.autograd.backward(rank_n_contrast_loss(same, torch.tensor([0, 1, 1, 2])))
    assert same.grad is not None
    assert same.grad.isfinite().all()


def test_the_encoder_is_trained_first_and_the_regression_after_it() -> None:
    torch.manual_seed(0)
    ranks = torch.arange(60) % 5
    features = torch.randn(60, problem().in_features)
    features[:, 0] += ranks
    part = LabelledFeatures(features, ranks)
    head = RankNContrast(problem())
    before = {key: value.clone() for key, value in head.state_dict().items()}
    recipe = head.recipe.model_copy(update={"min_steps": 30, "epochs": 1, "patience": 100})
    (fitted,) = fit([Replica(head, part, part, recipe, 0)], torch.arange(5.0))
    after = fitted.head.state_dict()
    assert fitted.steps == 60
    assert 30 < fitted.best_step <= 60
    assert not torch.equal(before["encoder.1.weight"], after["encoder.1.weight"])
    assert not torch.equal(before["weight"], after["weight"])
    embeddings = fitted.head(features)
    torch.testing.assert_close(after["embedding_mean"], embeddings.mean(0))
    with torch.no_grad():
        contrast = rank_n_contrast_loss(embeddings, ranks)
        start = RankNContrast(problem())
        start.load_state_dict(before)
        assert contrast < rank_n_contrast_loss(start(features), ranks)
