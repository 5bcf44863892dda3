import subprocess
import sys
from pathlib import Path
from typing import Any

import open_clip
import pytest
import torch
from huggingface_hub import constants
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from ordbench.backbone import Backbone, Dtype, Layer, TextTower
from ordbench.backbones._clip_source import TINY
from ordbench.backbones.clip import Clip
from ordbench.errors import BackboneError, SpecError
from tests.ordbench.backbones.conftest import PREPROCESS, Hub, Make

PROMPTS = ["a photo of a 35 years old person.", "age estimation: the age is 7."]


def images_of(argument: str, layer: Layer = "post", dtype: Dtype = "float32") -> Backbone:
    return Clip().load(argument, layer=layer, device="cpu", dtype=dtype)


def text_of(argument: str) -> TextTower:
    tower = Clip().load_text_tower(argument, device="cpu")
    assert tower is not None
    return tower


def close(got: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-5)


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
    with pytest.raises(BackboneError, match="no projection of its own to leave out; take --layer"):
        images_of(random_clip("timm head").argument, "pre")


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
    with pytest.raises(SpecError, match="has 78 tokens; wanted at most 77; shorten the context"):
        tower.encode([" ".join(["age"] * 76)])


def test_images_are_prepared_as_open_clip_does(random_clip: Make) -> None:
    clip = random_clip("vit")
    open_clip_own: Any = open_clip.create_model_and_transforms(f"local-dir:{clip.folder}")
    image = Image.effect_noise((50, 40), 80).convert("RGB")
    ours = images_of(clip.argument).transform
    assert torch.equal(ours(image), open_clip_own[2](image))
    for fact in (*PREPROCESS["mean"], *PREPROCESS["std"], "bilinear", "squash", "(32, 32)"):
        assert str(fact) in repr(ours)
    assert "0x" not in repr(ours), "a memory address"


def test_either_side_is_read_without_the_other(random_clip: Make, tmp_path: Path) -> None:
    clip = random_clip("vit")
    (tmp_path / "open_clip_config.json").write_bytes(
        (clip.folder / "open_clip_config.json").read_bytes()
    )
    state = load_file(clip.folder / "model.safetensors")
    visual = {k: v for k, v in state.items() if k.startswith("visual.")}
    text = {k: v for k, v in state.items() if not k.startswith("visual.")}
    save_file(visual, tmp_path / "model.safetensors")
    close(
        images_of(f"x@{tmp_path}").encode(clip.images()),
        images_of(clip.argument).encode(clip.images()),
    )
    with pytest.raises(BackboneError, match="no logit_scale"):
        text_of(f"x@{tmp_path}")
    save_file(text, tmp_path / "model.safetensors")
    close(text_of(f"x@{tmp_path}").encode(PROMPTS), text_of(clip.argument).encode(PROMPTS))
    with pytest.raises(BackboneError, match="missing"):
        images_of(f"x@{tmp_path}")


def test_a_training_checkpoint_is_read(random_clip: Make, tmp_path: Path) -> None:
    clip = random_clip("vit")
    state = {f"module.{k}": v for k, v in clip.model.state_dict().items()}
    torch.save({"epoch": 1, "state_dict": state}, tmp_path / "open_clip_pytorch_model.bin")
    (tmp_path / "open_clip_config.json").write_bytes(
        (clip.folder / "open_clip_config.json").read_bytes()
    )
    again = f"x@{tmp_path}"
    close(images_of(again).encode(clip.images()), images_of(clip.argument).encode(clip.images()))
    close(text_of(again).encode(PROMPTS), text_of(clip.argument).encode(PROMPTS))


def test_another_models_weights_are_refused_by_either_side(random_clip: Make) -> None:
    argument = f"ViT-S-32@{random_clip('vit').folder / 'model.safetensors'}"
    for act in (images_of, text_of):
        with pytest.raises(BackboneError, match=r"ViT-S-32@.*another model's: 1\d\d missing \("):
            act(argument)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("ViTB32/openai", r"open_clip has no model 'ViTB32'; near: ViT-B-32"),
        ("ViT-B-32/laion5b", r"ViT-B-32 has no weights 'laion5b'; there are: laion"),
        ("ViT-B-32", r"write clip:ViT-B-32/TAG \(there are: openai, .*or clip:ViT-B-32@FILE"),
        ("ViT-B/32", r"write clip:ViT-B-32/TAG"),
        ("ViT-B-32/openai", r"fetched from .*openai .*write clip:ViT-B-32/openai@FILE"),
        ("hf-hub:org/repo", r"fetched from .*org/repo .*write clip:hf-hub:org/repo@FOLDER"),
        ("hf-hub:org/repo@nothing", r"nothing is no folder; wanted one with open_clip_config"),
        ("RN50@nothing", r"weights nothing cannot be read"),
    ],
)
def test_what_cannot_be_had_is_named_with_what_to_do(
    argument: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    for act in (Clip().fingerprint, images_of, text_of):
        with pytest.raises(BackboneError, match=message) as error:
            act(argument)
        assert "\n" not in str(error.value)


def test_a_text_tower_of_transformers_is_refused_by_name(random_clip: Make) -> None:
    file = random_clip("vit").folder / "model.safetensors"
    with pytest.raises(BackboneError, match=r"text tower roberta-base takes no token embeddings"):
        text_of(f"roberta-ViT-B-32@{file}")


def test_a_folder_must_hold_both_files_and_a_configuration(
    random_clip: Make, tmp_path: Path
) -> None:
    with pytest.raises(BackboneError, match=r"must hold open_clip_config\.json and the weights"):
        images_of(f"x@{tmp_path}")
    weights = (random_clip("vit").folder / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(weights)
    for content in ("{", "[]", '{"model_cfg": {}}'):
        (tmp_path / "open_clip_config.json").write_text(content)
        with pytest.raises(BackboneError, match="is no open_clip configuration"):
            images_of(f"x@{tmp_path}")


def test_a_fingerprint_tells_weights_models_and_tags_apart_but_not_paths(
    random_clip: Make, tmp_path: Path
) -> None:
    file = random_clip("vit").folder / "model.safetensors"
    copy = tmp_path / "copy"
    copy.write_bytes(file.read_bytes())
    other = random_clip("custom").folder / "model.safetensors"
    names = (f"RN50@{file}", f"RN101@{file}", f"RN50/openai@{file}", f"RN50@{other}")
    assert len({Clip().fingerprint(name) for name in names}) == 4
    assert Clip().fingerprint(f"RN50@{copy}") == Clip().fingerprint(f"RN50@{file}")
    assert Clip().fingerprint(f"ViT-B/32@{copy}") == Clip().fingerprint(f"ViT-B-32@{copy}")


def test_a_fingerprint_of_a_folder_has_its_configuration_in_it(
    random_clip: Make, tmp_path: Path
) -> None:
    vit, quick = random_clip("vit"), random_clip("quick")
    same_weights = (vit.folder / "model.safetensors", quick.folder / "model.safetensors")
    assert same_weights[0].read_bytes() == same_weights[1].read_bytes()
    assert Clip().fingerprint(vit.argument) != Clip().fingerprint(quick.argument)
    assert Clip().fingerprint(f"another@{vit.folder}") == Clip().fingerprint(vit.argument)
    assert text_of(vit.argument).fingerprint == Clip().fingerprint(vit.argument)


def test_local_weights_are_fingerprinted_without_torch(random_clip: Make) -> None:
    argument = random_clip("vit").argument
    script = (
        "import sys; from ordbench.backbones.clip import Clip; "
        f"print(Clip().fingerprint({argument!r})); Clip().weights_size({argument!r}); "
        "print({'torch', 'open_clip', 'numpy'} & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [Clip().fingerprint(argument), "set()"]


def test_a_repository_on_the_hub_is_fetched_and_built(random_clip: Make, hub: type[Hub]) -> None:
    clip = random_clip("vit")
    hub.files = {
        "open_clip_config.json": (clip.folder / "open_clip_config.json").read_bytes(),
        "open_clip_model.safetensors": (clip.folder / "model.safetensors").read_bytes(),
    }
    tower = images_of("hf-hub:org/repo")
    close(tower.encode(clip.images()), images_of(clip.argument).encode(clip.images()))
    close(text_of("hf-hub:org/repo").encode(PROMPTS), text_of(clip.argument).encode(PROMPTS))
    assert Clip().fingerprint("hf-hub:org/repo") == Clip().fingerprint(clip.argument)


def test_a_tag_is_looked_up_in_open_clips_table_and_fetched(
    random_clip: Make, hub: type[Hub]
) -> None:
    content = (random_clip("vit").folder / "model.safetensors").read_bytes()
    hub.files = {"open_clip_model.safetensors": content}
    assert Clip().weights_size("RN50/openai") == len(content)
    assert "GET /timm/resnet50_clip.openai/resolve/main/open_clip_model.safetensors" in hub.asked
    with pytest.raises(BackboneError, match="clip:RN50/openai: the weights are another model's"):
        images_of("RN50/openai")


@pytest.mark.skipif(not TINY.is_dir(), reason="clip:tiny is not in this checkout")
def test_the_one_inside_the_wheel_works_on_both_sides() -> None:
    images, text = images_of("tiny"), text_of("tiny")
    picture = images.transform(Image.new("RGB", (40, 30), "red")).unsqueeze(0)
    assert images.encode(picture).shape == (1, text.embed_dim)
    assert text.causal
    assert text.encode(PROMPTS).isfinite().all()
