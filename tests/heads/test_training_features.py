"""Heads that add to zero-shot what the training features say, each against a second writing."""

from math import exp

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from ordbench.testing.heads import HEAD_CHECKS, HeadUnderTest
from ordbench_heads.gda import GaussianDiscriminant, discriminant
from ordbench_heads.lp_plus_plus import LPPlusPlus
from ordbench_heads.tip_adapter import TipAdapter
from ordbench_heads.zeroshot import ZeroShot
from tests.reference.problem import problem
from tests.reference.text_tower import random_clip

Rows = list[list[float]]
DRAW = torch.Generator().manual_seed(5)
TRAIN, NEW = torch.randn(40, 24, generator=DRAW) + 0.5, torch.randn(6, 24, generator=DRAW)
RANKS = torch.randint(4, (40,), generator=DRAW)
RANKS[RANKS == 2] = 4  # rank 2 is absent
TEXTS = F.normalize(ZeroShot(problem(5)).text_features, dim=-1)


def test_tip_adapter_adds_the_votes_of_the_training_images() -> None:
    head = TipAdapter(problem(5), alpha=2.0, beta=3.0)
    head.fit(TRAIN, RANKS)
    keys: Rows = F.normalize(TRAIN, dim=-1).tolist()
    wanted: Rows = ZeroShot(problem(5))(NEW).tolist()
    for row, query in zip(wanted, F.normalize(NEW, dim=-1).tolist(), strict=True):
        for key, rank in zip(keys, RANKS.tolist(), strict=True):
            cosine = sum(map(float.__mul__, query, key))
            row[rank] += 2 * exp(-3 * (1 - cosine))
    torch.testing.assert_close(head(NEW), torch.tensor(wanted), rtol=1e-5, atol=1e-5)
    assert not any(parameter.requires_grad for parameter in head.parameters())


@pytest.mark.parametrize("check", HEAD_CHECKS)
def test_tip_adapter_f_is_a_head(check: str) -> None:
    tower = random_clip(logit_scale=100.0)
    options = {"train_keys": True}
    reason = HEAD_CHECKS[check](
        HeadUnderTest(head_class=TipAdapter, options=options, text_tower=tower)
    )
    assert reason is None


def test_tip_adapter_f_starts_as_tip_adapter_and_trains_its_keys() -> None:
    fixed, trained = TipAdapter(problem(5)), TipAdapter(problem(5), train_keys=True)
    for head in (fixed, trained):
        head.fit(TRAIN, RANKS)
    assert torch.equal(fixed(NEW), trained(NEW))
    trainable = [parameter.shape for parameter in trained.parameters() if parameter.requires_grad]
    assert trainable == [(40, 24)]


def discriminant_of_the_authors(features: Tensor, ranks: list[int]) -> tuple[Tensor, Tensor]:
    """Written as their script is, for ranks that are all present."""
    num_ranks, width = max(ranks) + 1, features.shape[1]
    of_rank = [features[torch.tensor(ranks) == rank] for rank in range(num_ranks)]
    means = torch.stack([some.mean(0) for some in of_rank])
    centred = torch.cat([some - mean for some, mean in zip(of_rank, means, strict=True)])
    covariance = centred.T.cov()
    shrunk = (len(centred) - 1) * covariance + covariance.trace() * torch.eye(width)
    precision = width * torch.linalg.pinv(shrunk)
    bias = [-(mean @ precision @ mean).item() / 2 for mean in means]
    return means @ precision, torch.tensor(bias, dtype=torch.float64)


def test_the_discriminant_is_that_of_the_authors() -> None:
    features, ranks = F.normalize(TRAIN, dim=-1).double(), [rank % 5 for rank in range(40)]
    weight, bias = discriminant(features, torch.tensor(ranks), 5)
    wanted_weight, wanted_bias = discriminant_of_the_authors(features, ranks)
    torch.testing.assert_close(weight, wanted_weight)
    torch.testing.assert_close(bias, wanted_bias)


def test_gda_adds_the_discriminant_of_unit_features() -> None:
    head = GaussianDiscriminant(problem(5), alpha=0.5)
    ranks = torch.arange(40) % 5
    head.fit(7 * TRAIN, ranks)
    weight, bias = discriminant(F.normalize(TRAIN, dim=-1), ranks, 5)
    wanted = ZeroShot(problem(5))(NEW) + 0.5 * (F.normalize(NEW, dim=-1) @ weight.T + bias)
    torch.testing.assert_close(head(NEW), wanted, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("alpha", [1e-4, 1.0, 100.0])
def test_gda_never_predicts_a_rank_that_has_no_training_image(alpha: float) -> None:
    head = GaussianDiscriminant(problem(5), alpha=alpha)
    head.fit(TRAIN, RANKS)
    posterior = head.posterior(head(NEW))
    assert posterior[:, 2].tolist() == [0.0] * 6
    assert posterior.isfinite().all()


@pytest.mark.parametrize("ranks", [[0, 1, 2, 3, 4], [3]], ids=["one a rank", "one image"])
def test_without_scatter_gda_is_zero_shot_among_the_ranks_that_are_there(ranks: list[int]) -> None:
    head = GaussianDiscriminant(problem(5))
    head.fit(TRAIN[: len(ranks)], torch.tensor(ranks))
    torch.testing.assert_close(head(NEW)[:, ranks], ZeroShot(problem(5))(NEW)[:, ranks])


def test_lp_plus_plus_starts_at_sums_and_at_250_times_the_mean_similarity() -> None:
    head = LPPlusPlus(problem(5))
    head.fit(3 * TRAIN, RANKS)
    unit = F.normalize(TRAIN, dim=-1)
    sums = torch.stack([unit[rank == RANKS].sum(0) for rank in range(5)])
    present = sorted(set(RANKS.tolist()))
    similarities = [(unit[rank == RANKS] @ TEXTS[rank]).mean() for rank in present]
    text_weight = 250 * sum(similarities) / len(similarities)
    assert present == [0, 1, 3, 4]
    torch.testing.assert_close(head.weight(), sums + text_weight * TEXTS)
    assert head.bias().tolist() == [0.0] * 5
    assert sum(parameter.numel() for parameter in head.parameters()) == 5 * 24 + 5 + 5


def test_a_step_of_lp_plus_plus_is_as_long_as_the_authors() -> None:
    head = LPPlusPlus(problem(5))
    head.fit(TRAIN, RANKS)
    unit = F.normalize(TRAIN, dim=-1)
    length = 4 * 40 / torch.linalg.eigvalsh(unit.T @ unit)[-1]
    text_length = 40 / (4 * (unit @ TEXTS.T).square().sum(0).max())

    # The authors' parameters, each with a step size of its own.
    visual = head.start.clone().requires_grad_()
    offset = torch.zeros(5, requires_grad=True)
    textual = (head.text_start * torch.ones(5)).requires_grad_()
    theirs = [([visual, offset], length), ([textual], text_length / 100)]
    groups = [{"params": some, "lr": rate.item()} for some, rate in theirs]
    optimizers = [
        torch.optim.SGD(groups, momentum=0.9),
        torch.optim.SGD(head.parameters(), lr=head.recipe.learning_rate, momentum=0.9),
    ]
    for _ in range(4):
        logits = unit @ visual.T + offset + textual * (unit @ TEXTS.T)
        for optimizer, outputs in zip(optimizers, (logits, head(TRAIN)), strict=True):
            optimizer.zero_grad()
            torch.autograd.backward(F.cross_entropy(outputs, RANKS))
            optimizer.step()
    wanted = visual + textual.unsqueeze(1) * TEXTS
    torch.testing.assert_close(head.weight(), wanted, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(head.bias(), offset, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(visual, head.start, atol=0.1)
