from math import exp, log

import pytest
import torch
from torch import Tensor

from ordbench.errors import SpecError
from ordbench.nn.losses import two_way_loss
from ordbench.prompts.layout import Position, embed_text, random_tokens
from ordbench.prompts.learner import PromptLearner, context_start, initial_context
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


def loss_by_hand(logits: list[list[float]], ranks: list[int], kl_weight: float) -> float:
    num_images, num_ranks = len(logits), len(logits[0])
    cross_entropy = sum(
        log(sum(exp(logit) for logit in row)) - row[rank]
        for row, rank in zip(logits, ranks, strict=True)
    )
    divergence, present = 0.0, 0
    for k in range(num_ranks):
        if k not in ranks:
            continue
        present += 1
        target_sum = sum(exp(10.0 if rank == k else 0.0) for rank in ranks)
        predicted_sum = sum(exp(row[k]) for row in logits)
        for row, rank in zip(logits, ranks, strict=True):
            target = exp(10.0 if rank == k else 0.0) / target_sum
            divergence += target * (log(target) - log(exp(row[k]) / predicted_sum))
    return cross_entropy / num_images + kl_weight * divergence / present


LOGITS = [[2.0, -1.0, 0.5, 0.0], [0.25, 1.5, -0.5, 1.0], [-1.0, 0.0, 0.75, 3.0]]


@pytest.mark.parametrize("ranks", [[0, 1, 3], [3, 3, 0], [2, 2, 2]], ids=str)
@pytest.mark.parametrize("kl_weight", [0.0, 0.5, 1.0])
def test_the_loss_is_its_definition(ranks: list[int], kl_weight: float) -> None:
    loss = two_way_loss(torch.tensor(LOGITS), torch.tensor(ranks), kl_weight)
    assert loss.item() == pytest.approx(loss_by_hand(LOGITS, ranks, kl_weight), rel=1e-5)


def test_targets_over_the_batch_are_soft_as_in_the_official_code() -> None:
    """32 images, 2 of the rank: 0.49966 for each; equal logits then give a known divergence."""
    ranks = torch.tensor([0, 0] + [1] * 30)
    of_rank_0 = 2 * 0.49966 * log(0.49966 * 32) + 30 * 2.2685e-5 * log(2.2685e-5 * 32)
    of_rank_1 = 30 * 0.0333330 * log(0.0333330 * 32) + 2 * 1.5133e-6 * log(1.5133e-6 * 32)
    loss = two_way_loss(torch.zeros(32, 2), ranks)
    assert loss.item() == pytest.approx(log(2) + (of_rank_0 + of_rank_1) / 2, abs=1e-3)


@pytest.mark.parametrize(
    ("context", "context_tokens", "start"),
    [(None, None, "default"), ("words", None, "words"), (None, 4, 4)],
)
def test_a_context_starts_from_what_was_given(
    context: str | None, context_tokens: int | None, start: str | int
) -> None:
    assert context_start(context, context_tokens, "default") == start


def test_words_and_random_tokens_exclude_each_other() -> None:
    with pytest.raises(SpecError, match="got both context='a' and context_tokens=4; leave one out"):
        context_start("a", 4, "default")


@pytest.mark.parametrize("start", ["", 0, -1])
def test_an_empty_context_is_refused(start: str | int) -> None:
    with pytest.raises(SpecError, match=r"the context of the prompts has no token.* set context"):
        initial_context(TOWER, start)
