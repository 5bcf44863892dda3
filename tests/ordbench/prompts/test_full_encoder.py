import pytest
import torch
from torch.func import vmap

from ordbench.backbone import TextTower
from ordbench.prompts import full_encoder
from ordbench.prompts.full_encoder import WholeEncoder
from ordbench.prompts.layout import PromptLayout, embed_text
from tests.reference.prompt import encode_77
from tests.reference.text_tower import random_clip, random_siglip


@pytest.mark.parametrize("tower", [random_clip(), random_siglip()], ids=["clip", "siglip"])
def test_the_embeddings_of_words_are_encoded_as_the_words_are(tower: TextTower) -> None:
    names = [embed_text(tower, name) for name in ("young", "middle aged", "old")]
    context = embed_text(tower, "this person is")
    layout = PromptLayout(tower, context_tokens=3, rank_lengths=[len(name) for name in names])
    words = [f"this person is {name}." for name in ("young", "middle aged", "old")]
    if tower.sot < 0:
        # The stand-in has CLIP's tokenizer, which opens with a token that SigLIP does not have.
        ids = [[*tower.tokenize(sentence), tower.eot] for sentence in words]
        padded = torch.tensor([row + [tower.pad] * (16 - len(row)) for row in ids])
        wanted = tower.model(padded)
    else:
        wanted = tower.encode(words)
    torch.testing.assert_close(WholeEncoder(tower, layout)(context, torch.cat(names)), wanted)


def test_it_is_the_77_token_encoder_on_clip() -> None:
    tower = random_clip()
    context = torch.randn(4, tower.width, requires_grad=True)
    ranks = torch.randn(3, tower.width, requires_grad=True)
    layout = PromptLayout(tower, context_tokens=4, rank_lengths=[1, 2], position="middle")
    got = WholeEncoder(tower, layout)(context, ranks)
    wanted = encode_77(tower, context, ranks.split([1, 2]), "middle")
    torch.testing.assert_close(got, wanted)
    torch.testing.assert_close(
        torch.autograd.grad(got.square().sum(), [context, ranks]),
        torch.autograd.grad(wanted.square().sum(), [context, ranks]),
    )


def test_in_a_tower_that_sees_both_ways_what_follows_counts() -> None:
    tower = random_siglip()
    layout = PromptLayout(tower, context_tokens=2, rank_lengths=[1, 1], position="front")
    encoder = WholeEncoder(tower, layout)
    context, ranks = torch.randn(2, tower.width), torch.randn(2, tower.width)
    changed = context.clone()
    changed[1] += 1
    assert not torch.allclose(encoder(context, ranks), encoder(changed, ranks))


@pytest.mark.parametrize("grad", [True, False], ids=["training", "no grad"])
def test_replicas_are_encoded_together_as_each_alone(grad: bool) -> None:
    tower = random_siglip()
    layout = PromptLayout(tower, context_tokens=2, rank_lengths=[1, 2])
    encoder = WholeEncoder(tower, layout)
    contexts, ranks = torch.randn(3, 2, tower.width), torch.randn(3, 3, tower.width)
    with torch.set_grad_enabled(grad):
        together = vmap(encoder)(contexts, ranks)
        alone = torch.stack([encoder(c, r) for c, r in zip(contexts, ranks, strict=True)])
    torch.testing.assert_close(together, alone)


def test_the_tower_answers_with_its_own_embeddings_again_afterwards() -> None:
    tower = random_siglip()
    layout = PromptLayout(tower, context_tokens=2, rank_lengths=[1, 1])
    before = tower.encode(["old"])
    WholeEncoder(tower, layout)(torch.randn(2, tower.width), torch.randn(2, tower.width))
    assert torch.equal(tower.encode(["old"]), before)
    assert torch.backends.mha.get_fastpath_enabled()


def test_what_a_training_costs_is_said_once_and_beforehand(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tower = random_siglip()
    layout = PromptLayout(tower, context_tokens=2, rank_lengths=[1, 1, 1])
    monkeypatch.setattr(full_encoder, "_announced", set())
    monkeypatch.setattr(full_encoder, "NOTICEABLE", 1e9)
    WholeEncoder(tower, layout)
    assert caplog.messages == []
    monkeypatch.setattr(full_encoder, "_announced", set())
    monkeypatch.setattr(full_encoder, "NOTICEABLE", 0.0)
    for _ in range(2):
        WholeEncoder(tower, layout)
    (said,) = caplog.messages
    assert said.startswith("this text encoder is not causal, so each training step encodes all 3")
