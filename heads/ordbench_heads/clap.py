"""CLAP: a linear probe that starts from the ranks' sentences and is held to where they served well.

Source: Silva-Rodriguez, Hajimiri, Ben Ayed, Dolz (2024). A closer look at the few-shot adaptation
of large vision-language models. CVPR 2024. https://arxiv.org/abs/2312.12730

Needs: a text encoder.

Parity: not official: loss and multipliers are those of the authors' code, but a rank without a
training image has the mean multiplier (theirs is not a number), images are not augmented, and the
recipe is ordbench's own.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ordbench.head import Problem
from ordbench.prompts.sentence_head import TEMPLATES, SentenceHead
from ordbench.recipe import Recipe


def multipliers_of(posterior: Tensor, ranks: Tensor) -> Tensor:
    """How likely zero-shot finds the images of a rank, ``(K,)``.

    Args:
        posterior: ``(N, K)``, zero-shot's for the training images.
        ranks: ``(N,)``, int64.

    >>> posterior = torch.tensor([[0.75, 0.25, 0.0], [0.25, 0.75, 0.0], [0.25, 0.75, 0.0]])
    >>> multipliers_of(posterior, torch.tensor([0, 0, 1])).tolist()  # rank 2: the others' mean
    [0.5, 0.75, 0.625]
    """
    is_rank = F.one_hot(ranks, posterior.shape[1]).to(posterior.dtype)
    counts = is_rank.sum(0)
    found = (posterior * is_rank).sum(0) / counts.clamp_min(1)
    return torch.where(counts > 0, found, found.sum() / (counts > 0).sum())


class Clap(SentenceHead):
    """Prototypes start as text features.

    Args:
        problem: See `SentenceHead`.
        constraint: Whether the loss holds the prototypes to the text features; if not, this is the
            authors' ZS-LP.
        template: As in `SentenceHead`.
    """

    recipe: ClassVar[Recipe] = Recipe(learning_rate=3e-2)
    multipliers: Tensor
    unit: Tensor

    def __init__(
        self, problem: Problem, *, constraint: bool = True, template: tuple[str, ...] = TEMPLATES
    ) -> None:
        super().__init__(problem, template=template)
        self.constraint = constraint
        # In units of the features, so that a step is as long for every text tower.
        self.register_buffer("unit", self.text_features.square().mean().sqrt())
        self.learned = nn.Parameter(self.text_features / self.unit)
        self.register_buffer("multipliers", torch.zeros(self.num_ranks))

    @torch.no_grad()
    def fit(self, features: Tensor, ranks: Tensor) -> None:
        """See `multipliers_of`."""
        self.multipliers = multipliers_of(self.posterior(self(features)), ranks)

    def prototypes(self) -> Tensor:
        """The learned text features, ``(K, E)``."""
        return self.unit * self.learned

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """Cross-entropy, and the mean over ranks of multiplier x squared distance to the start."""
        loss = super().loss(outputs, ranks)
        if not self.constraint:
            return loss
        distances = (self.prototypes() - self.text_features).square().sum(-1)
        return loss + (self.multipliers * distances).mean()
