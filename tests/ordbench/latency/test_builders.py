import pytest
import torch

from ordbench.backbone import TextTower
from ordbench.errors import SpecError, UnknownPluginError
from ordbench.latency import builders
from ordbench.latency.builders import HeadBuilder
from ordbench.latency.setting import LatencySetting
from ordbench.prompts.head import PromptHead
from tests.reference.text_tower import random_clip

SETTING = LatencySetting(num_ranks=5, in_features=24)


@pytest.fixture
def towers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Small towers in place of large ones; the names that were asked for."""
    asked: list[str] = []

    def small(name: str, device: str) -> TextTower:
        asked.append(name)
        return random_clip()

    monkeypatch.setattr(builders, "_load_text_tower", small)
    return asked


def test_the_reference_stands_first_and_once() -> None:
    assert HeadBuilder(["coral", "linear"]).labels == ["linear", "coral"]
    assert HeadBuilder(["all"]).labels[0] == "linear"


def test_options_are_a_heads_name_and_reach_it(towers: list[str]) -> None:
    bench = HeadBuilder(["ordinalclip:base_ranks=4", "ordinalclip:base_ranks=3"])
    assert bench.labels == ["linear", "ordinalclip:base_ranks=4", "ordinalclip"]
    head = bench.head("ordinalclip:base_ranks=4", SETTING)
    assert head.get_parameter("base_ranks").shape[0] == 4


def test_unknown_heads_and_options_are_refused_by_name() -> None:
    with pytest.raises(UnknownPluginError, match="unknown head 'corral'; did you mean coral"):
        HeadBuilder(["corral"])
    with pytest.raises(SpecError, match="head 'coral' has no option 'x'"):
        HeadBuilder(["coral:x=1"])


@pytest.mark.parametrize(
    ("width", "model"), [(512, "ViT-B-32"), (768, "ViT-L-14"), (1024, "RN50"), (100, "ViT-B-32")]
)
def test_the_tower_is_that_of_a_clip_as_wide_as_the_features(
    towers: list[str], width: int, model: str
) -> None:
    bench = HeadBuilder(["coop"])
    for _ in range(2):
        bench.tower(LatencySetting(in_features=width))
    assert towers == [f"clip:{model}/random"]


@pytest.mark.parametrize(("width", "projected"), [(24, False), (30, True)])
def test_features_of_another_width_are_projected(
    towers: list[str], width: int, projected: bool
) -> None:
    head = HeadBuilder(["coop"]).head("coop", LatencySetting(num_ranks=5, in_features=width))
    assert isinstance(head, PromptHead)
    assert (head.projection is not None) is projected
    assert head(torch.randn(2, width)).shape == (2, 5)


def test_a_text_tower_asked_for_by_name_is_that_one() -> None:
    tower = HeadBuilder(["coop"]).tower(LatencySetting(in_features=512, text="clip:tiny"))
    assert (tower.embed_dim, tower.width) == (128, 96)


def test_a_backbone_without_a_text_tower_is_refused() -> None:
    bench = HeadBuilder(["coop"])
    with pytest.raises(SpecError, match="--text timm:test_resnet has no text encoder"):
        bench.tower(LatencySetting(text="timm:test_resnet"))


def test_heads_and_what_they_ship_are_built_once_for_all_batches() -> None:
    bench = HeadBuilder(["coral"])
    one, other = LatencySetting(batch=1, in_features=8), LatencySetting(batch=32, in_features=8)
    assert bench.head("coral", one) is bench.head("coral", other)
    assert bench.deployed("coral", one) is bench.deployed("coral", other)
    assert bench.head("coral", one) is not bench.head("coral", LatencySetting(in_features=9))
    assert bench.fresh_head("coral", one) is not bench.fresh_head("coral", one)


def test_building_heads_leaves_the_random_numbers_of_others_as_they_were() -> None:
    torch.manual_seed(3)
    wanted = torch.rand(2)
    torch.manual_seed(3)
    HeadBuilder([]).fresh_head("linear", SETTING)
    assert torch.equal(torch.rand(2), wanted)
