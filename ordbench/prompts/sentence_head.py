"""What heads that start from the ranks' sentences have in common: their text features, fixed."""

from __future__ import annotations

import re

import torch
from torch import Tensor
from torch.nn import functional as F

from ordbench.errors import SpecError
from ordbench.head import Problem
from ordbench.prompts.head import PromptHead, text_tower
from ordbench.prompts.rank_words import Words, rank_words

TEMPLATES = ("{context} {rank}.",)


def fill(template: str, context: str, rank: str) -> str:
    """Write the sentence of one rank.

    Raises:
        SpecError: If the template has no ``{rank}``, or a blank of another name.

    >>> fill("{context} {rank}.", "the person's age is", "35")
    "the person's age is 35."
    """
    blanks = set(re.findall(r"\{(.*?)\}", template))
    if "rank" not in blanks or not blanks <= {"rank", "context"}:
        raise SpecError(
            f"template={template!r} must contain {{rank}}, may contain {{context}}, and nothing "
            "else in braces"
        )
    return template.replace("{context}", context).replace("{rank}", rank)


class SentenceHead(PromptHead):
    """Compares features with the text tower's own encoding of the ranks' sentences.

    Args:
        problem: As in `PromptHead`; the features must lie in the text tower's space.
        template: Sentences with the blanks ``{rank}`` and ``{context}``. Of several, the mean of
            the unit text features is taken, as in section 3.1.4 of Radford et al. (2021).
        words: How the rank is said; see `rank_words`.

    Attributes:
        text_features: ``(K, E)``, not unit length.

    Raises:
        SpecError: If there is no text tower, if the features are of another space, if a
            template is wrong, or if the ranks cannot be said so.
    """

    text_features: Tensor

    def __init__(
        self, problem: Problem, *, template: tuple[str, ...] = TEMPLATES, words: Words = "name"
    ) -> None:
        super().__init__(problem)
        if not problem.aligned:
            raise SpecError(
                "image features are compared with text features as they are, so both must be of "
                "one model; use a backbone with a text encoder (clip:...), --layer post and no "
                "--text"
            )
        task, tower = problem.task, text_tower(problem)
        if not template:
            raise SpecError("template= is empty; give a sentence with {rank}")
        names = rank_words(task.prompt_names, words)
        with torch.no_grad():
            encoded = [
                tower.encode([fill(one, task.context, name).strip() for name in names])
                for one in template
            ]
            if len(encoded) > 1:
                encoded = [torch.stack([F.normalize(one, dim=-1) for one in encoded]).mean(0)]
            self.register_buffer("text_features", encoded[0].detach().clone())

    def prototypes(self) -> Tensor:
        """Text features ``(K, E)`` of the ranks' sentences."""
        return self.text_features
