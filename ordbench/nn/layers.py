"""Layers that heads share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from ordbench.errors import SpecError
from ordbench.head import Problem

WIDTH = 128  # of the features on which the heads' learning rates were chosen


class StandardizedLinear(nn.Module):
    """A linear layer on features that training statistics bring to mean 0 and mean variance 1.

    Weights start at zero: all images start with the same outputs. `fold` gives the plain layer.

    An Adam step moves each weight by the learning rate, and the D weights of an output add up:
    features are divided by D / 128 as well, so that one learning rate does for every width.
    Source: Yang et al. (2022). Tensor Programs V: tuning large neural networks via zero-shot
    hyperparameter transfer. https://arxiv.org/abs/2203.03466

    Args:
        problem: Gives D and the training statistics.
        out_features: Number of outputs.
        bias: Whether a bias is learned; a tensor ``(out_features,)`` is where it starts, else zero.
    """

    feature_mean: Tensor
    feature_scale: Tensor

    def __init__(self, problem: Problem, out_features: int, *, bias: bool | Tensor = True) -> None:
        super().__init__()
        self.register_buffer("feature_mean", problem.feature_mean)
        self.register_buffer("feature_scale", problem.feature_scale * (problem.in_features / WIDTH))
        self.weight = nn.Parameter(torch.zeros(out_features, problem.in_features))
        start = bias if isinstance(bias, Tensor) else torch.zeros(out_features)
        self.bias = None if bias is False else nn.Parameter(start)
        num_images = max(1, int(problem.train_counts.sum()))
        self.prior_weight = WIDTH**2 / (2 * num_images * problem.in_features * out_features)

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to ``(N, out_features)``."""
        standardized = (features - self.feature_mean) / self.feature_scale
        if len(self.weight) == 1:
            # A product of matrix and vector is summed in another order when replicas are batched.
            scores = (standardized * self.weight).sum(-1, keepdim=True)
        else:
            scores = standardized @ self.weight.T
        return scores if self.bias is None else scores + self.bias

    def penalty(self) -> Tensor:
        """Half the squared length of an output's weights, on average, over the number of images.

        Weights count as if features had length 1 on average. Added to a loss that is averaged over
        images, it is a Gaussian prior: the fewer the images, the more it says. Biases are free.
        """
        return self.prior_weight * self.weight.square().sum()

    def fold(self) -> nn.Linear:
        """The same map as one plain linear layer."""
        weight = (self.weight / self.feature_scale).detach()
        folded = nn.Linear(weight.shape[1], weight.shape[0])
        bias = -weight @ self.feature_mean
        with torch.no_grad():
            folded.weight.copy_(weight)
            folded.bias.copy_(bias if self.bias is None else bias + self.bias)
        return folded.requires_grad_(False)


class Perceptron(nn.Module):
    """Hidden layers with ReLU between features and scores, which start at zero.

    Hidden weights start normal, so that each hidden value has variance 1 on training features.

    Args:
        problem: See `StandardizedLinear`.
        out_features: Number of outputs.
        hidden: Widths of the hidden layers, at least one.
        bias: As in `StandardizedLinear`, of the scores; hidden layers have one that starts at zero.

    Raises:
        SpecError: If a width is not positive.
    """

    def __init__(
        self,
        problem: Problem,
        out_features: int,
        hidden: Sequence[int],
        *,
        bias: bool | Tensor = True,
    ) -> None:
        super().__init__()
        if too_small := [width for width in hidden if width < 1]:
            raise SpecError(f"hidden={too_small[0]}: wanted widths of at least 1")
        layers: list[StandardizedLinear] = []
        for width in hidden:
            layer = StandardizedLinear(problem, width)
            nn.init.normal_(layer.weight, std=problem.in_features**0.5 / WIDTH)
            layers.append(layer)
            problem = replace(
                problem,
                in_features=width,
                feature_mean=torch.zeros(width),
                feature_scale=torch.ones(()),
            )
        layers.append(StandardizedLinear(problem, out_features, bias=bias))
        self.layers = nn.ModuleList(layers)

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to ``(N, out_features)``."""
        *hidden, last = self.layers
        for layer in hidden:
            features = layer(features).relu()
        scores: Tensor = last(features)
        return scores

    def penalty(self) -> Tensor:
        """That of the last layer; the hidden ones start at random and need not be small."""
        last = self.layers[-1]
        assert isinstance(last, StandardizedLinear)
        return last.penalty()

    def fold(self) -> nn.Sequential:
        """The same map without training statistics."""
        folded: list[nn.Module] = []
        for layer in self.layers:
            assert isinstance(layer, StandardizedLinear)
            folded += [layer.fold(), nn.ReLU()]
        return nn.Sequential(*folded[:-1])


def scores_of(
    problem: Problem,
    out_features: int,
    hidden: Sequence[int] = (),
    *,
    bias: bool | Tensor = True,
) -> StandardizedLinear | Perceptron:
    """A linear layer, or a perceptron where there are hidden widths; see their methods."""
    if not hidden:
        return StandardizedLinear(problem, out_features, bias=bias)
    return Perceptron(problem, out_features, hidden, bias=bias)


class ScoreAndBiases(nn.Module):
    """One score an image, to which K - 1 biases are added; without training statistics.

    Args:
        score: What ``fold`` gave for one score; its own bias goes into the others.
        biases: ``(K - 1,)``.
    """

    def __init__(self, score: nn.Linear | nn.Sequential, biases: Tensor) -> None:
        super().__init__()
        last = score[-1] if isinstance(score, nn.Sequential) else score
        assert isinstance(last, nn.Linear)
        self.score = score
        self.biases = nn.Parameter((biases + last.bias).detach(), requires_grad=False)
        last.register_parameter("bias", None)

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to ``(N, K - 1)``."""
        values: Tensor = self.score(features) + self.biases
        return values


class Standardized(nn.Module):
    """Features that training statistics bring to mean 0 and mean variance 1.

    Args:
        problem: Gives the training statistics.
    """

    feature_mean: Tensor
    feature_scale: Tensor

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.register_buffer("feature_mean", problem.feature_mean)
        self.register_buffer("feature_scale", problem.feature_scale)

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to features ``(N, D)``."""
        return (features - self.feature_mean) / self.feature_scale


def encoder_of(problem: Problem, width: int) -> nn.Sequential:
    """A perceptron of one hidden layer that maps features ``(N, D)`` to embeddings ``(N, width)``.

    Hidden layer and embeddings are equally wide. It takes the place of the encoder that a paper
    trains, where features are frozen.
    """
    layers = (nn.Linear(problem.in_features, width), nn.ReLU(), nn.Linear(width, width))
    return nn.Sequential(Standardized(problem), *layers)
