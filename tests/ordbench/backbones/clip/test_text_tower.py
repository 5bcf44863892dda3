import sys
from collections.abc import Callable

import open_clip
import pytest
import torch
from torch import Tensor

from ordbench.backbones.clip.text_tower import ClipText
from ordbench.errors import BackboneError, SpecError
from tests.ordbench.backbones.conftest import PROMPTS, Make, close, text_of


@pytest.mark.parametrize("kind", ["vit", "quick", "custom", "resnet", "both ways", "coca"])
def test_prompts_are_encoded_as_encode_text_does(random_clip: Make, kind: str) -> None:
    clip = random_clip(kind)
    with torch.no_grad():
        wanted = clip.model.encode_text(
            open_clip.get_tokenizer(f"local-dir:{clip.folder}")(PROMPTS)
        )
    tower = text_of(clip.argument)
    assert tower.embed_dim == wanted.shape[1]
    close(tower.encode(PROMPTS), wanted)


@pytest.mark.parametrize(
    ("kind", "causal"),
    [("vit", True), ("custom", True), ("timm", True), ("both ways", False), ("coca", False)],
)
def test_only_clips_own_transformer_is_called_causal(
    random_clip: Make, kind: str, causal: bool
) -> None:
    assert text_of(random_clip(kind).argument).causal is causal


def test_a_causal_tower_has_the_parts_that_the_prompt_encoder_takes(random_clip: Make) -> None:
    for kind in ("vit", "custom"):
        model = text_of(random_clip(kind).argument).model
        parts = ("token_embedding", "positional_embedding", "transformer", "ln_final")
        for part in (*parts, "attn_mask", "text_projection"):
            assert getattr(model, part) is not None, (kind, part)


def test_a_text_tower_is_frozen_whole_and_alone(random_clip: Make) -> None:
    clip = random_clip("vit")
    model = text_of(clip.argument).model
    assert not model.training
    assert {p.requires_grad for p in model.parameters()} == {False}
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    image_side = sum(p.numel() for p in clip.model.visual.parameters()) + 1  # and logit_scale
    whole = sum(p.numel() for p in clip.model.parameters())
    assert sum(p.numel() for p in model.parameters()) == whole - image_side


def test_token_ids_are_clips_without_start_end_and_padding(random_clip: Make) -> None:
    tower = text_of(random_clip("vit").argument)
    framed = open_clip.tokenize([PROMPTS[0]])[0].tolist()
    ids = tower.tokenize(PROMPTS[0])
    assert [tower.sot, *ids, tower.eot] == framed[: len(ids) + 2]
    assert set(framed[len(ids) + 2 :]) == {tower.pad}
    assert (tower.sot, tower.eot, tower.pad) == (49406, 49407, 0)


def test_embeddings_are_rows_of_the_table(random_clip: Make) -> None:
    clip = random_clip("vit")
    ids = torch.tensor([[320, 1125], [5, 49407]])
    assert torch.equal(text_of(clip.argument).embed(ids), clip.model.token_embedding.weight[ids])


def test_the_scale_is_exponentiated(random_clip: Make) -> None:
    # open_clip starts at ln(1 / 0.07).
    assert text_of(random_clip("vit").argument).logit_scale == pytest.approx(1 / 0.07, rel=1e-6)


def test_a_prompt_that_would_be_cut_is_refused(random_clip: Make) -> None:
    tower = text_of(random_clip("vit").argument)
    assert tower.encode([" ".join(["age"] * 75)]).shape == (1, 24)
    with pytest.raises(
        SpecError, match="has 78 tokens, and the text encoder takes at most 77; shorten the context"
    ):
        tower.encode([" ".join(["age"] * 76)])


def test_a_text_tower_of_transformers_is_refused_by_name(random_clip: Make) -> None:
    file = random_clip("vit").folder / "model.safetensors"
    with pytest.raises(
        BackboneError, match=r"text encoder roberta-base does not accept token embeddings"
    ):
        text_of(f"roberta-ViT-B-32@{file}")


def test_a_tokenizer_of_transformers_says_what_to_install(
    random_clip: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(
        BackboneError, match=r"tokenizer needs .*run: pip install 'ordbench\[tokenizers\]'"
    ):
        text_of(random_clip("sentencepiece").argument)


class Words:
    """A tokenizer as open_clip wraps those of transformers: ids 4 and up, with ``frame`` around."""

    def __init__(self, frame: Callable[[list[int]], list[int]]) -> None:
        self.frame = frame

    @staticmethod
    def clean_fn(text: str) -> str:
        return text.lower()

    @staticmethod
    def tokenizer(text: str, *, add_special_tokens: bool) -> dict[str, list[int]]:
        assert not add_special_tokens
        return {"input_ids": [4 + len(word) for word in text.split()]}

    def __call__(self, texts: list[str]) -> Tensor:
        ids = [self.tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
        return torch.tensor([self.frame(one) for one in ids])


def with_words(random_clip: Make, frame: Callable[[list[int]], list[int]]) -> ClipText:
    model = random_clip("custom").model.text
    return ClipText(model, Words(frame), logit_scale=1.0, fingerprint="", what="clip:x")


def test_start_end_and_padding_are_seen_in_what_the_tokenizer_does(random_clip: Make) -> None:
    def siglip(ids: list[int]) -> list[int]:
        return [*ids, 1, *[2] * (76 - len(ids))]

    tower = with_words(random_clip, siglip)
    assert (tower.sot, tower.eot, tower.pad) == (-1, 1, 2)
    assert tower.tokenize("A Photo of") == [5, 9, 6]
    assert tower.encode(["a photo"]).shape == (1, 24)


def test_a_tokenizer_that_frames_text_otherwise_is_refused(random_clip: Make) -> None:
    def class_token_last(ids: list[int]) -> list[int]:
        return [3, *ids, 1, *[2] * (74 - len(ids)), 101]

    with pytest.raises(BackboneError, match="clip:x: its tokenizer does not put one start token"):
        with_words(random_clip, class_token_last)
