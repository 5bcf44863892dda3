from math import exp, log

import pytest
import torch

from ordbench_heads.mean_variance import mean_variance_losses


def mean_variance_loss_by_hand(logits: list[list[float]], ranks: list[int]) -> float:
    total = 0.0
    for row, rank in zip(logits, ranks, strict=True):
        scale = sum(exp(logit) for logit in row)
        probs = [exp(logit) / scale for logit in row]
        mean = sum(k * p for k, p in enumerate(probs))
        variance = sum(p * (k - mean) ** 2 for k, p in enumerate(probs))
        total += -log(probs[rank]) + 0.2 * (mean - rank) ** 2 / 2 + 0.05 * variance
    return total / len(ranks)


def test_loss_is_its_definition() -> None:
    logits, ranks = [[2.0, -1.0, -3.0, 0.5], [0.5, 0.25, -0.5, 1.0]], [1, 3]
    got = mean_variance_losses(torch.tensor(logits), torch.tensor(ranks), 0.2, 0.05)
    assert got.mean().item() == pytest.approx(mean_variance_loss_by_hand(logits, ranks), rel=1e-6)


def test_without_penalties_it_is_cross_entropy() -> None:
    logits, ranks = torch.randn(5, 4), torch.tensor([0, 1, 2, 3, 3])
    expected = torch.nn.functional.cross_entropy(logits, ranks, reduction="none")
    torch.testing.assert_close(mean_variance_losses(logits, ranks, 0.0, 0.0), expected)


def test_loss_is_that_of_the_code_of_paplham_and_franc() -> None:
    """Their mean_variance_loss gave this value for these logits on the CPU."""
    logits = [[0.2, -0.3, 1.1, 0.4, -0.7], [1.5, 0.9, -0.2, 0.1, -1.0]]
    logits += [[-0.6, 0.3, 0.8, 1.7, 0.5], [0.0] * 5]
    got = mean_variance_losses(torch.tensor(logits), torch.tensor([2, 0, 3, 4]), 0.2, 0.05)
    assert got.mean().item() == pytest.approx(1.173391, abs=1e-6)
