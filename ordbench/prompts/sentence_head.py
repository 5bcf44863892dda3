"""What heads that start from the ranks' sentences have in common: their text features, fixed."""

from __future__ import annotations

import re

import torch
from torch import Tensor

from ordbench.errors import SpecError
from ordbench.head import Problem
from ordbench.prompts.head import PromptHead, text_tower

TEMPLATE = "{context} {rank}."


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
        template: A sentence with the blanks ``{rank}`` and ``{context}``.

    Attributes:
        text_features: ``(K, E)`` of the sentences, not unit length.

    Raises:
        SpecError: If there is no text tower, if the features are of another space, or if the
            template is wrong.
    """

    text_features: Tensor

    def __init__(self, problem: Problem, *, template: str = TEMPLATE) -> None:
        super().__init__(problem)
        if not problem.aligned:
            raise SpecError(
                "no projection is learned, so image and text features must be of one "
                "model; use a backbone with a text encoder (clip:...), --layer post and no --text"
            )
        task, tower = problem.task, text_tower(problem)
        prompts = [fill(template, task.context, name).strip() for name in task.prompt_names]
        with torch.no_grad():
            self.register_buffer("text_features", tower.encode(prompts).detach().clone())

    def prototypes(self) -> Tensor:
        """Text features ``(K, E)`` of the ranks' sentences."""
        return self.text_features
