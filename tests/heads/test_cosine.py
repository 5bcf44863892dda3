from math import sqrt

import torch

from ordbench_heads.cosine import Cosine
from tests.reference.problem import problem

FEATURES = torch.randn(6, 24, generator=torch.Generator().manual_seed(3))


def cosine(one: list[float], other: list[float]) -> float:
    lengths = [sqrt(sum(value * value for value in row)) for row in (one, other)]
    return sum(map(float.__mul__, one, other)) / lengths[0] / lengths[1]


def test_scores_are_scaled_cosines_of_centred_features() -> None:
    told = problem(5)
    told.feature_mean.fill_(0.3)
    head = Cosine(told)
    prototypes = head.get_parameter("score.weight").tolist()
    images = [[value - 0.3 for value in row] for row in FEATURES.tolist()]
    wanted = [[10 * cosine(image, prototype) for prototype in prototypes] for image in images]
    torch.testing.assert_close(head(FEATURES), torch.tensor(wanted), rtol=1e-5, atol=1e-5)


def test_it_trains_a_prototype_a_rank_and_a_scale() -> None:
    head = Cosine(problem(7))
    assert sum(parameter.numel() for parameter in head.parameters()) == 7 * 24 + 1
    ranks = torch.arange(6)
    wanted = -head.posterior(head(FEATURES))[range(6), range(6)].log().mean()
    torch.testing.assert_close(head.loss(head(FEATURES), ranks), wanted)
