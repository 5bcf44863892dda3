"""Zero-shot CLIP: one sentence a rank, nothing is trained.

Source: Radford et al. (2021). Learning transferable visual models from natural language
supervision. https://arxiv.org/abs/2103.00020, section 3.1

Needs: a text encoder.

Parity: agrees with the text encoder's own encoding of whole sentences.
"""

from typing import ClassVar

from ordbench.head import Problem
from ordbench.prompts.rank_words import Words
from ordbench.prompts.sentence_head import TEMPLATES, SentenceHead


class ZeroShot(SentenceHead):
    """`SentenceHead` as it is: softmax of scaled cosines."""

    iterative: ClassVar[bool] = False
    seeded: ClassVar[bool] = False

    def __init__(
        self, problem: Problem, *, template: tuple[str, ...] = TEMPLATES, words: Words = "name"
    ) -> None:
        super().__init__(problem, template=template, words=words)
