"""TaskRes: the text features of the ranks' sentences, each plus a learned residual.

Source: Yu, Lu, Jin, Chen, Wang (2023). Task residual for tuning vision-language models. CVPR 2023.
https://arxiv.org/abs/2211.10277

Needs: a text encoder.

Parity: not official: the function is that of the authors' code, but the residual is measured in
units of the text features' root mean square, and the recipe is ordbench's own.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn

from ordbench.head import Problem
from ordbench.prompts.sentence_head import TEMPLATES, SentenceHead
from ordbench.recipe import Recipe, SearchSpace


class TaskRes(SentenceHead):
    """Prototypes are text features + ``scale`` x residual; residuals start at zero.

    Args:
        problem: See `SentenceHead`.
        scale: Weight of the residual.
        template: As in `SentenceHead`.
    """

    recipe: ClassVar[Recipe] = Recipe(learning_rate=3e-2)
    search: ClassVar[SearchSpace] = {"scale": (0.5, 0.1, 1.0)}
    unit: Tensor

    def __init__(
        self, problem: Problem, *, scale: float = 0.5, template: tuple[str, ...] = TEMPLATES
    ) -> None:
        super().__init__(problem, template=template)
        self.scale = scale
        self.residual = nn.Parameter(torch.zeros_like(self.text_features))
        # A step is as long for every text tower: their features differ in length by 10 and more.
        self.register_buffer("unit", self.text_features.square().mean().sqrt())

    def prototypes(self) -> Tensor:
        """Text features and residuals, ``(K, E)``."""
        return self.text_features + self.scale * self.unit * self.residual
