import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import timm
import torch
from huggingface_hub import constants
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from ordbench.backbone import Backbone, Dtype, Layer
from ordbench.backbones.timm_family import Timm
from ordbench.errors import BackboneError

BESIDE = Path(__file__).parents[4] / "shared"
SHARED = Path(os.environ.get("ORDBENCH_SHARED", BESIDE))


def random_model(name: str, num_classes: int = 1000) -> torch.nn.Module:
    torch.manual_seed(0)
    return timm.create_model(name, num_classes=num_classes).eval()


def saved(model: torch.nn.Module, path: Path, *, without: tuple[str, ...] = ()) -> Path:
    state = {k: v.contiguous() for k, v in model.state_dict().items() if not k.startswith(without)}
    save_file(state, path)
    return path


def load(argument: str, layer: Layer = "post", dtype: Dtype = "float32") -> Backbone:
    return Timm().load(argument, layer=layer, device="cpu", dtype=dtype)


@pytest.fixture(scope="module")
def vit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(random_model("test_vit"), tmp_path_factory.mktemp("vit") / "vit.safetensors")


@pytest.fixture
def mobilenet() -> Path:
    path = SHARED / "weights" / "mobilenetv2_100.safetensors"
    if not path.is_file():
        pytest.skip("no weights/mobilenetv2_100.safetensors below ORDBENCH_SHARED")
    return path


@pytest.fixture
def images() -> Tensor:
    return torch.randn(3, 3, 160, 160, generator=torch.Generator().manual_seed(0))


def test_trained_features_are_those_of_timm_itself(mobilenet: Path) -> None:
    images = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    direct = timm.create_model("mobilenetv2_100", num_classes=0).eval()
    state = load_file(mobilenet)
    direct.load_state_dict({k: v for k, v in state.items() if not k.startswith("classifier")})
    tower = load(f"mobilenetv2_100@{mobilenet}")
    with torch.no_grad():
        wanted = direct(images)
    assert tower.num_features == 1280
    torch.testing.assert_close(tower.encode(images), wanted, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("without", [(), ("head.",)], ids=["classifier", "no classifier"])
def test_a_file_may_hold_a_classifier_or_none(
    tmp_path: Path, images: Tensor, without: tuple[str, ...]
) -> None:
    model = random_model("test_vit")
    path = saved(model, tmp_path / "w.safetensors", without=without)
    model.set_submodule("head", torch.nn.Identity())
    with torch.no_grad():
        wanted = model(images)
    torch.testing.assert_close(load(f"test_vit@{path}").encode(images), wanted)


def test_a_classifier_of_another_number_of_classes_does_not_matter(
    tmp_path: Path, images: Tensor
) -> None:
    path = saved(random_model("test_vit", num_classes=7), tmp_path / "w.safetensors")
    assert load(f"test_vit@{path}").encode(images).shape == (3, 64)


def test_a_classifier_that_is_more_than_one_layer_is_left_out_whole(tmp_path: Path) -> None:
    # timm calls its classifier head.l, but there is head.bn as well.
    path = saved(random_model("shvit_s1"), tmp_path / "w.safetensors")
    assert load(f"shvit_s1@{path}").num_features == 320


def test_another_models_weights_are_refused_in_one_line(vit: Path) -> None:
    with pytest.raises(
        BackboneError, match=r"do not fit this model: \d+ missing \(.*unexpected"
    ) as error:
        load(f"test_resnet@{vit}")
    assert "\n" not in str(error.value)
    assert "head.weight" not in str(error.value), "the classifier is no fault"


def test_a_model_of_the_same_names_but_another_width_is_refused(vit: Path) -> None:
    with pytest.raises(BackboneError, match=r"of another shape \(.*wanted \("):
        load(f"test_vit3@{vit}")


def test_an_unknown_model_gets_near_names(vit: Path) -> None:
    with pytest.raises(BackboneError, match=r"no model 'resnet5'; did you mean .*resnet50"):
        load(f"resnet5@{vit}")


def test_an_unknown_tag_gets_the_ones_there_are(vit: Path) -> None:
    with pytest.raises(BackboneError, match=r"resnet50 has no weights 'a1'; available: .*a1_in1k"):
        load(f"resnet50.a1@{vit}")


def test_without_a_network_the_hub_repository_and_the_way_out_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    for act in (Timm().fingerprint, Timm().weights_size, load):
        with pytest.raises(BackboneError, match=r"timm/resnet50\.a1_in1k .*timm:resnet50@FILE"):
            act("resnet50")


def test_a_fingerprint_tells_weights_and_models_apart_but_not_paths(
    tmp_path: Path, vit: Path
) -> None:
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(vit.read_bytes())
    other = saved(random_model("test_vit2"), tmp_path / "other.safetensors")
    family = Timm()
    mine = family.fingerprint(f"test_vit@{vit}")
    assert len(mine) == 64
    assert family.fingerprint(f"test_vit@{copy}") == mine
    assert family.fingerprint(f"test_vit@{other}") != mine
    assert family.fingerprint(f"test_vit2@{vit}") != mine


def test_a_local_file_is_fingerprinted_without_torch(vit: Path) -> None:
    script = (
        "import sys; from ordbench.backbones.timm_family import Timm; "
        f"print(Timm().fingerprint('test_vit@{vit}'), Timm().weights_size('test_vit@{vit}')); "
        "print({'torch', 'timm', 'numpy'} & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    first = f"{Timm().fingerprint(f'test_vit@{vit}')} {vit.stat().st_size}"
    assert done.stdout.splitlines() == [first, "set()"]


def test_the_transform_is_the_models_own_and_says_what_it_does(vit: Path) -> None:
    tower = load(f"test_vit@{vit}")
    data = import_module("timm.data")  # untyped
    config = data.resolve_model_data_config(timm.create_model("test_vit"))
    wanted = data.create_transform(**config, is_training=False)
    image = Image.effect_noise((200, 170), 80).convert("RGB")
    assert torch.equal(tower.transform(image), wanted(image))
    for fact in (*config["mean"], *config["std"], config["interpolation"], config["crop_pct"], 160):
        assert str(fact) in repr(tower.transform)
    assert "0x" not in repr(tower.transform), "a memory address"


def test_both_layers_are_the_pooled_features(vit: Path, images: Tensor) -> None:
    post, pre = load(f"test_vit@{vit}", "post"), load(f"test_vit@{vit}", "pre")
    assert torch.equal(post.encode(images), pre.encode(images))


def test_bfloat16_weights_give_float32_features_near_the_exact_ones(
    vit: Path, images: Tensor
) -> None:
    exact = load(f"test_vit@{vit}").encode(images)
    rounded = load(f"test_vit@{vit}", dtype="bfloat16").encode(images)
    assert rounded.dtype == torch.float32
    assert not torch.equal(exact, rounded)
    assert torch.cosine_similarity(exact, rounded).min() > 0.99


def test_there_is_no_text_tower() -> None:
    assert Timm().load_text_tower("test_vit", device="cpu") is None
