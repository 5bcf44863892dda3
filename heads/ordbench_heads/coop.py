"""CoOp: a learned context in front of the rank names, which stay as they are.

Source: Zhou, Yang, Loy, Liu (2022). Learning to prompt for vision-language models. International
Journal of Computer Vision 130. https://doi.org/10.1007/s11263-022-01653-1

Needs: a text encoder.

Parity: agrees with the plain encoder of 77 tokens in its prompts. Not official: the recipe is
ordbench's own, and images are not augmented.
"""

from typing import ClassVar

from torch import Tensor

from ordbench.head import Problem
from ordbench.nn.losses import two_way_loss
from ordbench.prompts.layout import Position
from ordbench.prompts.learner import PROMPT_RECIPE, NameLearner, context_start
from ordbench.prompts.rank_words import Words
from ordbench.recipe import Recipe


class CoOp(NameLearner):
    """Learns a context; both encoders and the names of the ranks are frozen.

    Args:
        problem: As in `PromptLearner`.
        context: Words that the context starts from.
        context_tokens: Number of random tokens that it starts from; 16 if no words are given.
        class_specific: Whether each rank learns a context of its own.
        position: Where the rank name stands in the context.
        words: How the rank is said; see `rank_words`.
        as_in_ordinalclip: The baseline that the OrdinalCLIP paper calls CoOp: the context starts
            from the task's words, rank embeddings start from the names and are learned too, and
            `two_way_loss` is added. There, the image encoder was trained as well.

    Raises:
        SpecError: If there is no text tower, a prompt is too long, or the ranks cannot be said so.
    """

    recipe: ClassVar[Recipe] = PROMPT_RECIPE.model_copy(update={"min_steps": 400})

    def __init__(
        self,
        problem: Problem,
        *,
        context: str | None = None,
        context_tokens: int | None = None,
        class_specific: bool = False,
        position: Position = "tail",
        words: Words = "name",
        as_in_ordinalclip: bool = False,
    ) -> None:
        default = problem.task.context if as_in_ordinalclip else 16
        super().__init__(
            problem,
            start=context_start(context, context_tokens, default),
            position=position,
            rank_specific=class_specific,
            words=words,
            train_names=as_in_ordinalclip,
        )
        self.as_in_ordinalclip = as_in_ordinalclip

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """Cross-entropy in nats per sample, or `two_way_loss` if that was asked for."""
        if self.as_in_ordinalclip:
            return two_way_loss(outputs, ranks)
        return super().loss(outputs, ranks)
