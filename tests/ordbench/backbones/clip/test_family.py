import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants
from PIL import Image
from safetensors.torch import load_file, save_file

from ordbench.backbones.clip.family import Clip
from ordbench.backbones.clip.source import TINY, Source, tag_settings
from ordbench.errors import BackboneError
from tests.ordbench.backbones.conftest import (
    PROMPTS,
    Hub,
    Make,
    close,
    images_of,
    text_of,
)


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


def test_an_archive_as_openai_publishes_is_read(random_clip: Make, tmp_path: Path) -> None:
    clip = random_clip("vit")
    with warnings.catch_warnings(action="ignore"):  # torch calls TorchScript deprecated
        archive = torch.jit.script(clip.model)
        torch.jit.save(archive, tmp_path / "open_clip_pytorch_model.bin")
    (tmp_path / "open_clip_config.json").write_bytes(
        (clip.folder / "open_clip_config.json").read_bytes()
    )
    again = f"x@{tmp_path}"
    close(images_of(again).encode(clip.images()), images_of(clip.argument).encode(clip.images()))
    close(text_of(again).encode(PROMPTS), text_of(clip.argument).encode(PROMPTS))


def test_another_models_weights_are_refused_by_either_side(random_clip: Make) -> None:
    argument = f"ViT-S-32@{random_clip('vit').folder / 'model.safetensors'}"
    for act in (images_of, text_of):
        with pytest.raises(
            BackboneError, match=r"ViT-S-32@.*do not fit this model: 1\d\d missing \("
        ):
            act(argument)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("ViTB32/openai", r"open_clip has no model 'ViTB32'; did you mean .*ViT-B-32"),
        ("ViT-B-32/laion5b", r"ViT-B-32 has no weights 'laion5b'; did you mean laion"),
        ("ViT-B-32", r"write clip:ViT-B-32/TAG \(available: openai, .*or clip:ViT-B-32@FILE"),
        ("ViT-B/32", r"write clip:ViT-B-32/TAG"),
        ("ViT-B-32/openai", r"downloaded from .*openai .*write clip:ViT-B-32/openai@FILE"),
        ("hf-hub:org/repo", r"downloaded from .*org/repo .*write clip:hf-hub:org/repo@FOLDER"),
        ("hf-hub:org/repo@nothing", r"nothing is not a folder; wanted one with open_clip_config"),
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


def test_without_a_tag_images_are_prepared_as_all_tags_of_the_model_want(tmp_path: Path) -> None:
    siglip = tag_settings(Source("clip:x", tmp_path, "ViT-B-16-SigLIP"))
    assert (siglip["mean"], siglip["resize_mode"]) == ((0.5, 0.5, 0.5), "squash")
    assert siglip["quick_gelu"] is False
    assert tag_settings(Source("clip:x", tmp_path, "ViT-S-32")) == {}


@pytest.mark.parametrize(
    ("model", "kinds"),
    [
        ("ViT-B-32", r"openai: quick_gelu=True; laion2b_\w+: quick_gelu=False"),
        ("ViT-H-14-quickgelu", r"metaclip_\w+: resize_mode=shortest; dfn5b: resize_mode=squash"),
    ],
)
def test_a_file_of_a_model_whose_tags_differ_needs_a_tag(
    random_clip: Make, model: str, kinds: str
) -> None:
    file = random_clip("vit").folder / "model.safetensors"
    for act in (images_of, text_of):
        with pytest.raises(BackboneError, match=rf"write clip:{model}/TAG@FILE .*\({kinds}\)"):
            act(f"{model}@{file}")


def test_a_folder_must_hold_both_files_and_a_configuration(
    random_clip: Make, tmp_path: Path
) -> None:
    with pytest.raises(BackboneError, match=r"must hold open_clip_config\.json and the weights"):
        images_of(f"x@{tmp_path}")
    weights = (random_clip("vit").folder / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(weights)
    missing = "wanted model_cfg with embed_dim, "
    for content, why in (("{", "Expecting"), ("[]", missing), ('{"model_cfg": {}}', missing)):
        (tmp_path / "open_clip_config.json").write_text(content)
        with pytest.raises(BackboneError, match=rf"not an open_clip configuration \({why}"):
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
        "import sys; from ordbench.backbones.clip.family import Clip; "
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
    with pytest.raises(BackboneError, match="clip:RN50/openai: the weights do not fit this model"):
        images_of("RN50/openai")


@pytest.mark.skipif(not TINY.is_dir(), reason="clip:tiny is not in this checkout")
def test_the_one_inside_the_wheel_works_on_both_sides() -> None:
    images, text = images_of("tiny"), text_of("tiny")
    picture = images.transform(Image.new("RGB", (40, 30), "red")).unsqueeze(0)
    assert images.encode(picture).shape == (1, text.embed_dim)
    assert text.causal
    assert text.encode(PROMPTS).isfinite().all()
