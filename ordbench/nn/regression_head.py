"""The base of heads that estimate one number, a rank standardised over the training images."""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor

from ordbench.head import PointHead, Problem


class RegressionHead(PointHead):
    """A number of 0 stands for the mean training rank, one of 1 for a standard deviation above it.

    Args:
        problem: See `Problem`.
    """

    rank_mean: Tensor
    rank_scale: Tensor

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        counts = problem.train_counts.to(torch.float32)
        positions = torch.arange(self.num_ranks, dtype=torch.float32)
        mean = (counts * positions).sum() / counts.sum()
        deviation = ((counts * (positions - mean).square()).sum() / counts.sum()).sqrt()
        self.register_buffer("rank_mean", mean)
        self.register_buffer("rank_scale", deviation.clamp_min(0.5))  # of one rank it is 0

    @abstractmethod
    def numbers(self, outputs: Tensor) -> Tensor:
        """The standardised estimates ``(N,)``."""

    def raw(self, outputs: Tensor) -> Tensor:
        """Estimates ``(N,)`` in rank steps, which may lie below 0 or above K - 1."""
        return self.rank_mean + self.rank_scale * self.numbers(outputs)

    def estimate(self, outputs: Tensor) -> Tensor:
        """The regression's value, kept within 0 to K - 1."""
        return self.raw(outputs).clamp(0, self.num_ranks - 1)
