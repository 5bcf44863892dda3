"""What all heads that prompt a text tower have in common: cosines with one prototype a rank."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ordbench.backbone import TextTower
from ordbench.errors import SpecError
from ordbench.head import Head, Problem, restore
from ordbench.nn.layers import WIDTH, StandardizedLinear
from ordbench.nn.ordinality import ordinality
from ordbench.prompts.feature_adapter import FeatureAdapter


class PromptHead(Head):
    """Compares features with the text features of one prompt a rank, its prototype.

    Logits are the tower's own logit scale, never trained, times cosines. Features of another
    space than the tower's are first brought there by a learned affine map of the standardised
    features. A subclass gives the prototypes, or else `weight` and `bias`.

    Args:
        problem: As in `Head`.

    Attributes:
        projection: Brings features into the joint space, or moves them in it; or None.

    Raises:
        SpecError: If there is no text tower.
    """

    needs_text: ClassVar[bool] = True

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        tower = text_tower(problem)
        self.logit_scale = tower.logit_scale
        self.projection: StandardizedLinear | FeatureAdapter | None = None
        if not problem.aligned:
            self.projection = _projection(problem, tower.embed_dim)

    @abstractmethod
    def prototypes(self) -> Tensor:
        """Text features ``(K, E)`` of the ranks' prompts, not unit length."""

    def weight(self) -> Tensor:
        """What unit features are multiplied by, ``(K, E)``."""
        return self.logit_scale * F.normalize(self.prototypes(), dim=-1)

    def bias(self) -> Tensor | None:
        """What is added to the logits, ``(K,)``, if anything."""
        return None

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to logits ``(N, K)``."""
        images = features if self.projection is None else self.projection(features)
        logits, bias = F.normalize(images, dim=-1) @ self.weight().T, self.bias()
        return logits if bias is None else logits + bias

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """Cross-entropy in nats per sample."""
        return F.cross_entropy(outputs, ranks)

    def posterior(self, outputs: Tensor) -> Tensor:
        """Softmax over the ranks, ``(N, K)``."""
        return outputs.softmax(-1)

    def measures(self, outputs: Tensor) -> dict[str, float]:
        """Whether prototypes of nearer ranks are more alike."""
        return ordinality(self.weight())

    @torch.no_grad()
    def deployed(self) -> nn.Module:
        """The prototypes, encoded once, as a linear layer on unit features; no text tower."""
        projection = None if self.projection is None else self.projection.fold()
        return PromptClassifier(self.weight(), projection, self.bias())

    def kept(self) -> dict[str, Tensor]:
        """What is deployed: neither the text tower nor the tokens of the prompts."""
        return self.deployed().state_dict()

    @classmethod
    def rebuilt(cls, problem: Problem, state: Mapping[str, Tensor], **options: Any) -> Head:  # noqa: ANN401
        """A `DeployedPrompts` of the classifier that was deployed."""
        return DeployedPrompts(problem, PromptClassifier.of(state))


class DeployedPrompts(Head):
    """A trained prompt head, of which only the classifier is left.

    Args:
        problem: As in `Head`.
        classifier: What the head deploys.
    """

    def __init__(self, problem: Problem, classifier: nn.Module) -> None:
        super().__init__(problem)
        self.classifier = classifier

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to logits ``(N, K)``."""
        logits: Tensor = self.classifier(features)
        return logits

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """Cross-entropy in nats per sample; nothing is trained with it."""
        return F.cross_entropy(outputs, ranks)

    def posterior(self, outputs: Tensor) -> Tensor:
        """Softmax over the ranks, ``(N, K)``."""
        return outputs.softmax(-1)

    def deployed(self) -> nn.Module:
        """The classifier."""
        return self.classifier


class PromptClassifier(nn.Module):
    """A trained prompt head without its text tower: a linear head, and a division by lengths.

    The K outputs are divided by the length of the features: that is the same as bringing the D
    features to unit length first, without a pass that writes them again.

    Args:
        prototypes: ``(K, E)``, unit length times the logit scale.
        projection: Brings features into the joint space, or None where they lie in it.
        bias: ``(K,)``, or None.
    """

    def __init__(
        self, prototypes: Tensor, projection: nn.Module | None, bias: Tensor | None = None
    ) -> None:
        super().__init__()
        self.projection = projection
        self.prototypes = nn.Parameter(prototypes, requires_grad=False)
        self.bias = None if bias is None else nn.Parameter(bias.clone(), requires_grad=False)

    @classmethod
    def of(cls, state: Mapping[str, Tensor]) -> PromptClassifier:
        """The classifier whose ``state_dict`` this is.

        Raises:
            ValueError: If it is that of another module.
        """
        prefix = "projection."
        own = {n.removeprefix(prefix): t for n, t in state.items() if n.startswith(prefix)}
        projection: nn.Module | None = None
        if "narrow.weight" in own:
            projection = FeatureAdapter(own["narrow.weight"].shape[1], ratio=0.0).fold()
        elif "weight" in own:
            out_features, in_features = own["weight"].shape
            projection = nn.Linear(in_features, out_features).requires_grad_(False)
        classifier = cls(state["prototypes"], projection, state.get("bias"))
        restore(classifier, state)
        return classifier

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to logits ``(N, K)``."""
        images = features if self.projection is None else self.projection(features)
        lengths = torch.linalg.vector_norm(images, dim=-1, keepdim=True)
        # As in F.normalize, features of length zero give zeros.
        logits: Tensor = F.linear(images, self.prototypes).div_(lengths.clamp_min(1e-12))
        return logits if self.bias is None else logits.add_(self.bias)


def text_tower(problem: Problem) -> TextTower:
    """The text tower of ``problem``, for a head that cannot do without.

    Raises:
        SpecError: If there is none.
    """
    if problem.text_tower is None:
        raise SpecError(
            "a text encoder is needed, and this backbone has none; add --text clip:RN50/openai"
        )
    return problem.text_tower


def _projection(problem: Problem, embed_dim: int) -> StandardizedLinear:
    # OrdinalCLIP's layer has no bias, on features whose mean is far from zero. Standardised ones
    # need it: a cosine does not tell x from 2x, so a line through the origin has two points only.
    # An Adam step moves weights as far as tokens: features are smaller and weights larger by
    # D / 6 in all; 6 was chosen on validation.
    small = replace(problem, feature_scale=problem.feature_scale * (WIDTH / 6))
    projection = StandardizedLinear(small, embed_dim)
    nn.init.normal_(projection.weight, std=problem.in_features**0.5 / 6)
    if projection.bias is not None:
        nn.init.normal_(projection.bias)
    return projection
