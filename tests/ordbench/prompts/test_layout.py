import pytest
import torch

from ordbench.errors import SpecError
from ordbench.prompts.layout import Position, PromptLayout, embed_text, random_tokens
from tests.reference.text_tower import random_clip, random_siglip

TOWER = random_clip()
# Rows of the pool: 0 start, 1 full stop, 2 end, 3 padding; then 4 of context, then the ranks.
CONTEXT = [4, 5, 6, 7]


@pytest.mark.parametrize(
    ("position", "prompts", "shared"),
    [
        ("tail", [[0, *CONTEXT, 8, 1, 2], [0, *CONTEXT, 9, 10, 1, 2]], 5),
        ("middle", [[0, 4, 5, 8, 6, 7, 1, 2], [0, 4, 5, 9, 10, 6, 7, 1, 2]], 3),
        ("front", [[0, 8, *CONTEXT, 1, 2], [0, 9, 10, *CONTEXT, 1, 2]], 1),
    ],
)
def test_rank_tokens_stand_where_they_were_asked_for(
    position: Position, prompts: list[list[int]], shared: int
) -> None:
    layout = PromptLayout(TOWER, context_tokens=4, rank_lengths=[1, 2], position=position)
    assert layout.prompts == prompts
    assert layout.num_shared == shared


def test_a_rank_specific_context_shares_the_start_token_only() -> None:
    layout = PromptLayout(TOWER, context_tokens=2, rank_lengths=[1, 1], rank_specific=True)
    assert layout.prompts == [[0, 4, 5, 8, 1, 2], [0, 6, 7, 9, 1, 2]]
    assert layout.num_shared == 1


def test_a_single_prompt_does_not_share_its_end() -> None:
    layout = PromptLayout(TOWER, context_tokens=2, rank_lengths=[1])
    assert layout.num_shared == len(layout.prompts[0]) - 1


def test_short_prompts_are_filled_on_the_right() -> None:
    layout = PromptLayout(TOWER, context_tokens=1, rank_lengths=[1, 2])
    assert layout.padded(7) == [[0, 4, 5, 1, 2, 3, 3], [0, 4, 6, 7, 1, 2, 3]]


def test_the_pool_puts_embeddings_where_the_prompts_look_for_them() -> None:
    layout = PromptLayout(TOWER, context_tokens=2, rank_lengths=[1, 1])
    context, ranks = random_tokens(TOWER, 2), random_tokens(TOWER, 2)
    second = layout.pool(context, ranks)[layout.prompts[1]]
    start, stop, end = TOWER.embed(torch.tensor([49406, 269, 49407])).split(1)
    assert torch.equal(second, torch.cat([start, context, ranks[1:], stop, end]))


def test_a_tower_without_a_start_token_gets_none() -> None:
    layout = PromptLayout(random_siglip(), context_tokens=1, rank_lengths=[1, 1])
    assert layout.ids == [269, 49407, 0]
    assert layout.prompts == [[3, 4, 0, 1], [3, 5, 0, 1]]


def test_the_morph_sentence_has_ten_tokens() -> None:
    tokens = embed_text(TOWER, "age estimation: the age of the person is")
    assert tokens.shape == (10, TOWER.width)


def test_a_prompt_of_exactly_the_tower_s_length_is_taken() -> None:
    layout = PromptLayout(TOWER, context_tokens=73, rank_lengths=[1])
    assert len(layout.prompts[0]) == 77


def test_a_prompt_one_token_too_long_is_refused_with_its_rank() -> None:
    message = (
        r"the prompt of rank 1 has 78 tokens \(73 of context, 2 of the rank\), and the text "
        r"encoder takes at most 77; shorten"
    )
    with pytest.raises(SpecError, match=message):
        PromptLayout(TOWER, context_tokens=73, rank_lengths=[1, 2])


def test_a_rank_without_a_token_is_refused() -> None:
    with pytest.raises(SpecError, match="makes no token of the name of rank 1; rename it"):
        PromptLayout(TOWER, context_tokens=4, rank_lengths=[1, 0])


def test_random_tokens_have_the_papers_spread() -> None:
    torch.manual_seed(0)
    assert random_tokens(TOWER, 40, 50).std().item() == pytest.approx(0.02, rel=0.01)
