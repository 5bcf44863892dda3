"""Both penalties have the values of the authors' code; the rest is its formula."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from ordbench.errors import SpecError
from ordbench.training.trainer import LabelledFeatures, Replica, fit
from ordbench_heads.poe import (
    ProbabilisticEmbedding,
    divergence_from_normal,
    ordinal_triplet_loss,
)
from tests.reference.problem import problem

MEANS = torch.tensor(
    [[0.2, -0.3, 1.1], [1.5, 0.9, -0.2], [-0.6, 0.3, 0.8], [0, 0.5, 0], [0.4, -1, 0.7]]
)
LOG_VARIANCES = torch.tensor(
    [[0.1, -0.4, 0.2], [-0.3, 0.5, 0], [0.6, -0.2, -0.1], [0, 0.3, -0.5], [-0.7, 0.2, 0.4]]
)
RANKS = torch.tensor([2, 0, 3, 4, 2])


def kl(one: tuple[list[float], list[float]], other: tuple[list[float], list[float]]) -> float:
    return sum(
        (log_w - log_v + math.exp(log_v - log_w) + (m - n) ** 2 / math.exp(log_w) - 1) / 2
        for m, log_v, n, log_w in zip(*one, *other, strict=True)
    )


def triplet_by_hand(means: Tensor, log_variances: Tensor, ranks: list[int], margin: float) -> float:
    points = list(zip(means.double().tolist(), log_variances.double().tolist(), strict=True))
    lacking: list[float] = []
    for i, rank in enumerate(ranks):
        following = (i + 1) % len(ranks)
        gap = abs(rank - ranks[following])
        others = [j for j in range(len(ranks)) if j != i and abs(rank - ranks[j]) != gap]
        if not others:
            continue
        third = min(others, key=lambda j: abs(abs(rank - ranks[j]) - gap))
        near, far = following, third
        if abs(rank - ranks[third]) < gap:
            near, far = third, following
        to_near, to_far = (kl(points[i], points[j]) + kl(points[j], points[i]) for j in (near, far))
        lacking.append(to_near - to_far + margin)
    violations = [value for value in lacking if value > 0]
    return sum(violations) / max(len(violations), 1)


def test_the_penalties_have_the_values_of_the_authors_code() -> None:
    divergence = divergence_from_normal(MEANS, LOG_VARIANCES).item()
    disorder = ordinal_triplet_loss(MEANS, LOG_VARIANCES, RANKS, 5, 5.0).item()
    assert divergence == pytest.approx(0.8428322, rel=1e-6)
    assert disorder == pytest.approx(2.1466002, rel=1e-6)
    standard = ([0.0] * 3, [0.0] * 3)
    points = zip(MEANS.tolist(), LOG_VARIANCES.tolist(), strict=True)
    assert divergence == pytest.approx(sum(kl(point, standard) for point in points) / 5, rel=1e-6)


@pytest.mark.parametrize("margin", [0.5, 5.0])
@pytest.mark.parametrize("seed", range(6))
def test_the_triplet_loss_is_its_definition(seed: int, margin: float) -> None:
    torch.manual_seed(seed)
    size = 3 * seed + 1  # from a single image on
    means, log_variances = torch.randn(2, size, 4)
    ranks = torch.randint(seed + 2, (size,))
    got = ordinal_triplet_loss(means, log_variances, ranks, seed + 2, margin).item()
    wanted = triplet_by_hand(means, log_variances, ranks.tolist(), margin)
    assert got == pytest.approx(wanted, rel=1e-4)


def test_the_loss_averages_the_cross_entropy_of_samples() -> None:
    head = ProbabilisticEmbedding(problem(5), hidden=3, samples=7, beta=0.01).eval()
    raw = 3 * LOG_VARIANCES + 1
    outputs = torch.cat([MEANS, raw], dim=1)
    log_variances = (raw - raw.mean(0)) / (raw.var(0, correction=0) + 1e-3).sqrt()
    torch.manual_seed(1)
    noise = torch.randn(7, 5, 3)
    drawn = MEANS + (log_variances / 2).exp() * noise
    per_sample = [F.cross_entropy(head.score(points), RANKS) for points in drawn]
    penalties = [
        1e-4 * divergence_from_normal(MEANS, log_variances),
        0.01 * ordinal_triplet_loss(MEANS, log_variances, RANKS, 5, 5.0),
    ]
    torch.manual_seed(1)
    wanted = torch.stack(per_sample).mean() + torch.stack(penalties).sum()
    torch.testing.assert_close(head.loss(outputs, RANKS), wanted)
    torch.testing.assert_close(head.posterior(outputs), head.score(MEANS).softmax(-1))


def test_a_batch_of_one_image_can_be_trained_on() -> None:
    torch.manual_seed(0)
    part = LabelledFeatures(torch.randn(5, problem().in_features), RANKS)
    head = ProbabilisticEmbedding(problem(), samples=2)
    recipe = head.recipe.model_copy(update={"batch_size": 4, "min_steps": 4, "epochs": 1})
    (fitted,) = fit([Replica(head, part, part, recipe, 0)], torch.arange(5.0))
    assert fitted.diverged is None
    assert fitted.steps == 4


def test_no_samples_are_refused() -> None:
    with pytest.raises(SpecError, match="samples=0 must be at least 1"):
        ProbabilisticEmbedding(problem(), samples=0)
