"""What holds for every family of backbones."""

from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from ordbench.backbones.clip.family import Clip
from ordbench.backbones.timm_family import Timm
from ordbench.testing.backbones import BACKBONE_CHECKS, BackboneUnderTest


@pytest.fixture(scope="module")
def timm_argument(tmp_path_factory: pytest.TempPathFactory) -> str:
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("timm") / "vit.safetensors"
    model = timm.create_model("test_vit")
    save_file({key: value.contiguous() for key, value in model.state_dict().items()}, path)
    return f"test_vit@{path}"


@pytest.mark.parametrize("check", BACKBONE_CHECKS)
def test_clip_passes_the_checks(check: str) -> None:
    assert BACKBONE_CHECKS[check](BackboneUnderTest(family_class=Clip, argument="tiny")) is None


@pytest.mark.parametrize("check", BACKBONE_CHECKS)
def test_timm_passes_the_checks(check: str, timm_argument: str, tmp_path: Path) -> None:
    case = BackboneUnderTest(
        family_class=Timm, argument=timm_argument, missing=f"test_vit@{tmp_path / 'no.safetensors'}"
    )
    if reason := BACKBONE_CHECKS[check](case):
        pytest.skip(reason)
