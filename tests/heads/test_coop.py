import pytest
import torch

from ordbench.nn.losses import two_way_loss
from ordbench.prompts.layout import embed_text
from ordbench_heads.coop import CoOp
from tests.reference.problem import problem
from tests.reference.prompt import encode_77
from tests.reference.text_tower import random_clip

NAMES = ("young", "middle_aged", "old")
PROMPT_NAMES = ("young", "middle aged", "old")  # 1, 2 and 1 tokens


def trained(head: CoOp) -> int:
    return sum(parameter.numel() for parameter in head.parameters() if parameter.requires_grad)


def test_it_trains_16_context_tokens_and_nothing_else() -> None:
    tower = random_clip(width=512, heads=8, layers=1, embed_dim=24)
    assert trained(CoOp(problem(101, tower=tower))) == 16 * 512


def test_class_specific_contexts_are_one_for_each_rank() -> None:
    assert trained(CoOp(problem(3, names=NAMES), class_specific=True)) == 3 * 16 * 32


def test_as_in_ordinalclip_the_names_are_trained_and_the_context_is_the_tasks() -> None:
    head = CoOp(problem(3, names=NAMES), as_in_ordinalclip=True)
    assert trained(head) == 10 * 32 + 4 * 32
    wanted = embed_text(random_clip(), "age estimation: the age of the person is")
    assert torch.equal(head.context, wanted)


@pytest.mark.parametrize("as_in_ordinalclip", [True, False])
def test_the_rank_names_stand_behind_the_context(as_in_ordinalclip: bool) -> None:
    head = CoOp(problem(3, names=NAMES), as_in_ordinalclip=as_in_ordinalclip)
    names = [embed_text(random_clip(), name) for name in PROMPT_NAMES]
    assert [len(name) for name in names] == [1, 2, 1]
    wanted = encode_77(random_clip(), head.context, names)
    torch.testing.assert_close(head.prototypes(), wanted)


def test_ranks_may_be_said_as_ordinals() -> None:
    head = CoOp(problem(2, names=("9", "35")), words="ordinal")
    names = [embed_text(random_clip(), name) for name in ("ninth", "thirty-fifth")]
    assert torch.equal(head.names, torch.cat(names))


def test_the_loss_is_cross_entropy_unless_it_is_ordinalclips() -> None:
    logits, ranks = torch.randn(4, 3), torch.tensor([0, 0, 2, 1])
    plain, other = (CoOp(problem(3), as_in_ordinalclip=flag) for flag in (False, True))
    assert plain.loss(logits, ranks).item() == two_way_loss(logits, ranks, 0.0).item()
    assert other.loss(logits, ranks).item() == two_way_loss(logits, ranks, 1.0).item()


def test_the_context_starts_from_words_if_given() -> None:
    head = CoOp(problem(3), context="a photo of a")
    assert torch.equal(head.context, embed_text(random_clip(), "a photo of a"))
