"""LP++: a linear probe on unit features, plus the text features of the ranks, weighted by rank.

Source: Huang, Shakeri, Dolz, Boudiaf, Bahig, Ben Ayed (2024). LP++: a surprisingly strong linear
probe for few-shot CLIP. CVPR 2024. https://arxiv.org/abs/2404.02285

Needs: a text encoder.

Parity: not official: start and step sizes are those of the authors' code, but biases start at zero,
ranks may have different numbers of images or none, and the text weights move at each step, by a
hundredth of their step size with momentum, instead of every tenth step without.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ordbench.head import Problem
from ordbench.prompts.sentence_head import TEMPLATES, SentenceHead
from ordbench.recipe import Recipe

TEXT_START = 250.0  # x mean cosine of images and their rank's text, the first text weight


class LPPlusPlus(SentenceHead):
    """Trained on all images at once, by steps as long as the features allow.

    What is trained are changes in units of the square root of these step sizes: a step of length 1
    on them is a step of that size on what they change.

    Args:
        problem: See `SentenceHead`.
        template: As in `SentenceHead`.
    """

    recipe: ClassVar[Recipe] = Recipe(
        optimizer="sgd",
        learning_rate=1.0,
        schedule="constant",
        batch_size=1_000_000,  # all images
        epochs=300,
        min_steps=300,
        evaluations=60,
        patience=60,
    )
    start: Tensor
    text_start: Tensor
    step: Tensor
    text_step: Tensor

    def __init__(self, problem: Problem, *, template: tuple[str, ...] = TEMPLATES) -> None:
        super().__init__(problem, template=template)
        self.visual = nn.Parameter(torch.zeros_like(self.text_features))
        self.offset = nn.Parameter(torch.zeros(self.num_ranks))
        self.textual = nn.Parameter(torch.zeros(self.num_ranks))
        self.register_buffer("start", torch.zeros_like(self.text_features))
        for name in ("text_start", "step", "text_step"):
            self.register_buffer(name, torch.ones(()))

    @torch.no_grad()
    def fit(self, features: Tensor, ranks: Tensor) -> None:
        """Set the start, sums of the ranks' features, and the step sizes."""
        unit, texts = F.normalize(features, dim=-1), F.normalize(self.text_features, dim=-1)
        is_rank = F.one_hot(ranks, self.num_ranks).to(unit.dtype)
        counts, cosines = is_rank.sum(0), unit @ texts.T
        self.start = is_rank.T @ unit
        mean_of_rank = (cosines * is_rank).sum(0) / counts.clamp_min(1)
        self.text_start = TEXT_START * mean_of_rank.sum() / (counts > 0).sum()
        self.step = 4 * len(unit) / torch.linalg.matrix_norm(unit.T @ unit, 2)
        self.text_step = len(unit) / (4 * cosines.square().sum(0).max())

    def weight(self) -> Tensor:
        """Visual weights plus weighted text features, ``(K, E)``."""
        texts = F.normalize(self.text_features, dim=-1)
        text_weights = self.text_start + (self.text_step / 100).sqrt() * self.textual
        return self.start + self.step.sqrt() * self.visual + text_weights.unsqueeze(1) * texts

    def bias(self) -> Tensor:
        """The trained biases, ``(K,)``."""
        return self.step.sqrt() * self.offset
