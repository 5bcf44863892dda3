"""The contract of a head: features in, outputs out, a loss, and a posterior over ranks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ordbench.backbone import TextTower
from ordbench.recipe import Recipe
from ordbench.space import Space
from ordbench.task import Task

WIDTH = 128  # of the features on which the heads' learning rates were chosen


@dataclass(frozen=True, kw_only=True)
class Problem:
    """All that a head may know before it learns.

    Attributes:
        in_features: Width D of the features.
        task: The K ranks.
        train_counts: ``(K,)`` int64, training images a rank; zeros where a rank is absent.
        feature_mean: ``(D,)``, mean of the training features.
        feature_scale: ``(D,)``, standard deviation of the training features, never zero.
        text_tower: The text tower to prompt, or None where there is none.
        aligned: Whether the features already lie in the text tower's joint space. If not, a text
            head learns a projection.
    """

    in_features: int
    task: Task
    train_counts: Tensor
    feature_mean: Tensor
    feature_scale: Tensor
    text_tower: TextTower | None = None
    aligned: bool = False


class Head(nn.Module, ABC):
    """Reads features, answers with a distribution over ranks.

    A subclass declares its options as keyword-only, annotated arguments of ``__init__``; an
    option that is not declared is refused by name. What is in the module is trained, unless
    ``requires_grad`` is off. `forward` and `loss` run under ``torch.func.vmap`` (replicas are
    trained together) unless ``batchable`` is False: no data-dependent control flow, no in-place
    writes to buffers, no random numbers.

    Attributes:
        recipe: The default training settings.
        search: What a tuning varies besides learning rate and weight decay: options of the head.
        needs_text: Whether the head prompts a text tower.
        batchable: Whether replicas can be trained as one batched model.
    """

    recipe: ClassVar[Recipe] = Recipe()
    search: ClassVar[Space] = {}
    needs_text: ClassVar[bool] = False
    batchable: ClassVar[bool] = True

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.num_ranks = problem.task.num_ranks

    @abstractmethod
    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to this head's own outputs ``(N, ...)``."""

    @abstractmethod
    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """Scalar training loss of outputs ``(N, ...)`` against ranks ``(N,)``, int64."""

    @abstractmethod
    def posterior(self, outputs: Tensor) -> Tensor:
        """Probabilities ``(N, K)``, a proper mass function in each row."""

    def deployed(self) -> nn.Module:
        """The module to ship: features to outputs, without a text tower."""
        return self


class PointHead(Head):
    """A head that estimates a number and no distribution; left out of probabilistic columns."""

    @abstractmethod
    def estimate(self, outputs: Tensor) -> Tensor:
        """Point estimates ``(N,)`` in rank steps, 0 to K - 1."""

    def posterior(self, outputs: Tensor) -> Tensor:
        """A point head has none: a one-hot row would pose as certainty."""
        raise TypeError(f"{type(self).__name__} estimates a point and has no posterior")


class StandardizedLinear(nn.Module):
    """A linear layer on features brought to mean 0 and one scale by training statistics.

    It starts at zero, so every rank starts equally likely. `fold` gives the plain layer.

    An Adam step moves each weight by the learning rate, and the D weights of an output add up:
    features are divided by D / 128 as well, so that one learning rate does for every width.
    Source: Yang et al. (2022). Tensor Programs V: tuning large neural networks via zero-shot
    hyperparameter transfer. https://arxiv.org/abs/2203.03466

    Args:
        problem: Gives D and the training statistics.
        out_features: Number of outputs.
        bias: Whether a bias is learned.
    """

    feature_mean: Tensor
    feature_scale: Tensor

    def __init__(self, problem: Problem, out_features: int, *, bias: bool = True) -> None:
        super().__init__()
        self.register_buffer("feature_mean", problem.feature_mean)
        self.register_buffer("feature_scale", problem.feature_scale * (problem.in_features / WIDTH))
        self.weight = nn.Parameter(torch.zeros(out_features, problem.in_features))
        self.bias = nn.Parameter(torch.zeros(out_features)) if bias else None

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to ``(N, out_features)``."""
        standardized = (features - self.feature_mean) / self.feature_scale
        if len(self.weight) == 1:
            # A product of matrix and vector is summed in another order when replicas are batched.
            scores = (standardized * self.weight).sum(-1, keepdim=True)
        else:
            scores = standardized @ self.weight.T
        return scores if self.bias is None else scores + self.bias

    def fold(self) -> nn.Linear:
        """The same map as one plain linear layer."""
        weight = (self.weight / self.feature_scale).detach()
        folded = nn.Linear(weight.shape[1], weight.shape[0])
        bias = -weight @ self.feature_mean
        with torch.no_grad():
            folded.weight.copy_(weight)
            folded.bias.copy_(bias if self.bias is None else bias + self.bias)
        return folded.requires_grad_(False)


def check_ranks(ranks: Tensor, num_ranks: int) -> None:
    """Refuse ranks outside 0..K-1, before a training begins.

    Raises:
        ValueError: If a rank is out of range.
    """
    if len(ranks) and (int(ranks.min()) < 0 or int(ranks.max()) >= num_ranks):
        raise ValueError(
            f"ranks must lie in 0..{num_ranks - 1} (num_ranks={num_ranks}), "
            f"got {int(ranks.min())}..{int(ranks.max())}"
        )
