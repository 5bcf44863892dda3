from typing import Any

import open_clip
import pytest
import torch
from PIL import Image

from ordbench.errors import BackboneError
from tests.ordbench.backbones.conftest import PREPROCESS, Make, close, images_of


@pytest.mark.parametrize(
    "kind", ["vit", "quick", "custom", "resnet", "timm", "timm head", "both ways", "coca"]
)
def test_features_are_those_of_encode_image(random_clip: Make, kind: str) -> None:
    clip = random_clip(kind)
    with torch.no_grad():
        wanted = clip.model.encode_image(clip.images())
    tower = images_of(clip.argument)
    assert tower.num_features == wanted.shape[1]
    close(tower.encode(clip.images()), wanted)


@pytest.mark.parametrize(("kind", "width"), [("vit", 32), ("resnet", 256), ("timm", 64)])
def test_the_projection_of_the_layer_before_it_is_the_layer_after_it(
    random_clip: Make, kind: str, width: int
) -> None:
    clip = random_clip(kind)
    pre, visual = images_of(clip.argument, "pre").encode(clip.images()), clip.model.visual
    assert pre.shape[1] == width
    with torch.no_grad():
        projected = {
            "vit": lambda: pre @ visual.proj,
            "resnet": lambda: visual.attnpool.c_proj(pre),
            "timm": lambda: visual.head(pre),
        }[kind]()
    close(projected, images_of(clip.argument).encode(clip.images()))


def test_a_tower_without_a_projection_of_its_own_has_no_layer_before_it(random_clip: Make) -> None:
    with pytest.raises(
        BackboneError, match="before the projection, and this image encoder has none; use --layer"
    ):
        images_of(random_clip("timm head").argument, "pre")


def test_images_are_prepared_as_open_clip_does(random_clip: Make) -> None:
    clip = random_clip("vit")
    open_clip_own: Any = open_clip.create_model_and_transforms(f"local-dir:{clip.folder}")
    image = Image.effect_noise((50, 40), 80).convert("RGB")
    ours = images_of(clip.argument).transform
    assert torch.equal(ours(image), open_clip_own[2](image))
    for fact in (*PREPROCESS["mean"], *PREPROCESS["std"], "bilinear", "squash", "(32, 32)"):
        assert str(fact) in repr(ours)
    assert "0x" not in repr(ours), "a memory address"
