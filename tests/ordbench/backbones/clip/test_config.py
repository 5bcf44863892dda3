from pathlib import Path

import pytest

from ordbench.backbones.clip.config import NO_IMAGES, build, model_config
from ordbench.backbones.clip.source import Source

SMALL = {
    "embed_dim": 8,
    "vision_cfg": NO_IMAGES,
    "text_cfg": {"layers": 1, "width": 8, "heads": 1, "vocab_size": 9, "context_length": 4},
}


@pytest.mark.parametrize(
    ("model", "tag", "quick"),
    [
        ("ViT-B-32", "openai", True),
        ("ViT-B-32", "laion2b_s34b_b79k", False),
        ("RN50", "", True),  # as all of its tags
        ("ViT-S-32", "", False),  # has no tags
        ("ViT-B-32-quickgelu", "", True),
        ("roberta-ViT-B-32", "laion2b_s12b_b32k", True),
    ],
)
def test_the_activation_is_the_one_that_the_weights_were_trained_with(
    model: str, tag: str, quick: bool
) -> None:
    # open_clip 3.3 itself would build ViT-B-32/openai with GELU, and only warn.
    config = model_config(Source("clip:x", Path(), model, tag))
    assert bool(config.get("quick_gelu")) is quick


@pytest.mark.parametrize("quick", [True, False])
def test_quick_gelu_reaches_the_blocks(quick: bool) -> None:
    model = build(SMALL | {"quick_gelu": quick})
    for side in ("text", "visual"):
        block = model.get_submodule(f"{side}.transformer.resblocks.0.mlp.gelu")
        assert (type(block).__name__ == "QuickGELU") is quick, side


def test_what_open_clip_needs_for_captions_is_left_out() -> None:
    model = build(SMALL | {"custom_text": True, "multimodal_cfg": {"layers": 12}})
    assert {name for name, _ in model.named_children()} == {"visual", "text"}


def test_a_tower_of_timm_is_built_without_fetching_its_own_weights() -> None:
    vision = {"timm_model_name": "test_vit", "timm_model_pretrained": True, "timm_pool": "token"}
    assert build(SMALL | {"vision_cfg": vision | {"image_size": 160}}).get_submodule("visual.trunk")
