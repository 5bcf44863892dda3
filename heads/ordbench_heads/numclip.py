"""NumCLIP: learned rank names, and a loss in which a rank counts by its distance to the image's.

Source: Du, Zhai, Dai, Li (2024). Teach CLIP to develop a number sense for ordinal regression.
ECCV 2024. https://arxiv.org/abs/2408.03574

Needs: a text encoder.

Parity: agrees with golden values of the paper's formula and, with ``form=code``, of the authors'
code, which is not the same and gives no number for a batch of one rank. Not official: each rank has
a prompt, as theirs of five ranks; their five bins of ages and the regression within them are left
out, the image encoder is frozen, and the recipe is ordbench's own.
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ordbench.errors import SpecError
from ordbench.head import Problem
from ordbench.nn.losses import divergence_over_images
from ordbench.prompts.feature_adapter import FeatureAdapter
from ordbench.prompts.learner import PROMPT_RECIPE, NameLearner, context_start
from ordbench.prompts.rank_words import Words
from ordbench.recipe import Recipe, SearchSpace


def weighted_two_way_loss(logits: Tensor, ranks: Tensor) -> Tensor:
    """`two_way_loss` of logits that are multiplied by `weights` over ranks and over images.

    Args:
        logits: ``(N, K)``.
        ranks: ``(N,)``, int64, each in 0..K-1.

    Returns:
        Scalar, in nats.
    """
    over_ranks, over_images = (weights(ranks, logits.shape[1], over=dim) for dim in (1, 0))
    divergence = divergence_over_images(logits * over_images.to(logits.dtype), ranks)
    return F.cross_entropy(logits * over_ranks.to(logits.dtype), ranks) + divergence


def weights(ranks: Tensor, num_ranks: int, *, over: Literal[0, 1]) -> Tensor:
    """How much the logits of images count, ``(N, K)``: the own rank's 1, others' by distance.

    Distances are divided by their sum over the images (0) or over the ranks (1), and multiplied by
    K - 1.

    >>> weights(torch.tensor([0]), 3, over=1)
    tensor([[1.0000, 0.6667, 1.3333]])
    """
    distances = (torch.arange(num_ranks, device=ranks.device) - ranks.unsqueeze(1)).abs()
    sums = distances.sum(over, keepdim=True).clamp_min(1)  # 0 where all images are of the rank
    return torch.where(distances == 0, 1.0, (num_ranks - 1) * distances / sums)


class NumCLIP(NameLearner):
    """Learns the names of the ranks and an adapter of the features; the context is fixed.

    Features of another space than the text encoder's have a learned projection and no adapter.

    Args:
        problem: As in `NameLearner`.
        context: Words of the context; by default, the task's own.
        words: How the rank is said; see `rank_words`.
        ratio: Share of the adapter's perceptron in the features, above 0, at most 1.
        form: The loss as in the ``paper``, a cross-entropy in which exponentials of logits are
            multiplied by `weights`, or as in the authors' ``code``, `weighted_two_way_loss`: there,
            neighbours of the rank may have higher logits than itself, where logits are positive.

    Raises:
        SpecError: As for `NameLearner`, and if the ratio is beyond its range.
    """

    recipe: ClassVar[Recipe] = PROMPT_RECIPE.model_copy(update={"learning_rate": 1e-2})
    search: ClassVar[SearchSpace] = {"form": ("paper", "code")}

    def __init__(
        self,
        problem: Problem,
        *,
        context: str | None = None,
        words: Words = "name",
        ratio: float = 0.8,
        form: Literal["code", "paper"] = "paper",
    ) -> None:
        if not 0 < ratio <= 1:
            raise SpecError(f"ratio={ratio} must be above 0 and at most 1")
        start = context_start(context, None, problem.task.context)
        super().__init__(problem, start=start, words=words)
        self.form = form
        self.context.requires_grad_(False)
        if self.projection is None:
            self.projection = FeatureAdapter(problem.in_features, ratio)

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """The paper's loss or that of the code, in nats."""
        if self.form == "code":
            return weighted_two_way_loss(outputs, ranks)
        counts = weights(ranks, self.num_ranks, over=1).to(outputs.dtype)
        return F.cross_entropy(outputs + counts.log(), ranks)
