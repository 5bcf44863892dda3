import pytest
import torch
from torch import Tensor

from ordbench.errors import SpecError
from ordbench.prompt import Position, embed_text, random_tokens
from ordbench.prompt_learner import PromptLearner, context_start, initial_context
from tests.reference.problem import problem
from tests.reference.prompt import encode_77
from tests.reference.text_tower import random_clip, random_siglip

TOWER = random_clip()


class Learner(PromptLearner):
    """Three ranks of 1, 2 and 1 tokens."""

    def __init__(self, *, position: Position, rank_specific: bool) -> None:
        super().__init__(
            problem(3),
            start="this person is",
            rank_lengths=[1, 2, 1],
            position=position,
            rank_specific=rank_specific,
        )
        self.ranks = torch.nn.Parameter(random_tokens(TOWER, 4))

    def rank_tokens(self) -> Tensor:
        return self.ranks


@pytest.mark.parametrize("position", ["tail", "middle", "front"])
@pytest.mark.parametrize("rank_specific", [True, False], ids=["own context", "shared context"])
def test_prototypes_are_those_of_the_77_token_prompts(
    position: Position, rank_specific: bool
) -> None:
    head = Learner(position=position, rank_specific=rank_specific)
    wanted = encode_77(TOWER, head.context, head.ranks.split([1, 2, 1]), position)
    torch.testing.assert_close(head.prototypes(), wanted)


def test_the_tower_is_neither_trained_nor_saved() -> None:
    head = Learner(position="tail", rank_specific=False)
    assert set(head.state_dict()) == {"context", "ranks"}
    assert not any(parameter.requires_grad for parameter in TOWER.model.parameters())


def test_a_tower_that_sees_both_ways_is_prompted_too() -> None:
    class Sighted(PromptLearner):
        def rank_tokens(self) -> Tensor:
            return embed_text(random_siglip(), "young old")

    head = Sighted(
        problem(2, tower=random_siglip()),
        start=4,
        rank_lengths=[1, 1],
        position="tail",
        rank_specific=False,
    )
    head.loss(head(torch.randn(3, 24)), torch.tensor([0, 1, 1])).backward()
    assert head.context.grad is not None
    assert head.context.grad.abs().sum() > 0


@pytest.mark.parametrize(
    ("context", "context_tokens", "start"),
    [(None, None, "default"), ("words", None, "words"), (None, 4, 4)],
)
def test_a_context_starts_from_what_was_given(
    context: str | None, context_tokens: int | None, start: str | int
) -> None:
    assert context_start(context, context_tokens, "default") == start


def test_words_and_random_tokens_exclude_each_other() -> None:
    with pytest.raises(SpecError, match="got context='a' and context_tokens=4; leave one out"):
        context_start("a", 4, "default")


@pytest.mark.parametrize("start", ["", 0, -1])
def test_an_empty_context_is_refused(start: str | int) -> None:
    with pytest.raises(SpecError, match=r"the context of a prompt has no token.* set context"):
        initial_context(TOWER, start)
