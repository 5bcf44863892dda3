"""Each check of backbones fails on a family with the fault that it is for."""

from collections.abc import Callable

import pytest
import torch
from PIL.Image import Image
from torch import Tensor

from ordbench.backbone import Backbone, BackboneFamily, Dtype, Layer, TextTower
from ordbench.errors import BackboneError
from ordbench.testing.backbones import BACKBONE_CHECKS, BackboneUnderTest


class Shrink:
    """8 x 8 pixels, as numbers from 0 to 1."""

    def __call__(self, image: Image) -> Tensor:
        pixels = torch.tensor(list(image.resize((8, 8)).tobytes()), dtype=torch.float32) / 255
        return pixels.reshape(8, 8, 3).permute(2, 0, 1)

    def __repr__(self) -> str:
        return "Shrink()"


class Pixels:
    """The pixels themselves are the features."""

    num_features = 192

    def __init__(self) -> None:
        self.transform: Callable[[Image], Tensor] = Shrink()

    def encode(self, images: Tensor) -> Tensor:
        return images.flatten(1)


class BatchCentred(Pixels):
    def encode(self, images: Tensor) -> Tensor:
        return (images - images[-1:]).flatten(1)


class Wider(Pixels):
    num_features = 193


class Noisy(Pixels):
    def encode(self, images: Tensor) -> Tensor:
        return images.flatten(1) + torch.rand(())


class Family(BackboneFamily):
    title, source, needs = "Pixels", "an example", "nothing"
    backbone: type[Pixels] = Pixels

    def fingerprint(self, argument: str) -> str:
        if argument != "8":
            raise BackboneError(f"there are 8 pixels, not {argument}; write pixels:8")
        return "0" * 64

    def load(self, argument: str, *, layer: Layer, device: str, dtype: Dtype) -> Backbone:
        self.fingerprint(argument)
        return self.backbone()

    def load_text_tower(self, argument: str, *, device: str) -> TextTower | None:
        return None


class BatchFamily(Family):
    backbone = BatchCentred


class WideFamily(Family):
    backbone = Wider


class NoisyFamily(Family):
    backbone = Noisy


class NamelessFamily(Family):
    title = ""


class ShortFamily(Family):
    def fingerprint(self, argument: str) -> str:
        return super().fingerprint(argument)[:8]


class CarelessFamily(Family):
    def fingerprint(self, argument: str) -> str:
        return "0" * 64


@pytest.mark.parametrize("check", [name for name in BACKBONE_CHECKS if "described" not in name])
def test_a_good_family_passes(check: str) -> None:
    reason = BACKBONE_CHECKS[check](BackboneUnderTest(family_class=Family, argument="8"))
    assert reason == ("it has no text tower" if "text" in check else None)


@pytest.mark.parametrize(
    ("family", "check", "said"),
    [
        (NamelessFamily, "family_is_described", "title is empty"),
        (ShortFamily, "weights_have_a_fingerprint", "is no SHA-256"),
        (CarelessFamily, "unknown_weights_are_refused", "fingerprint takes"),
        (WideFamily, "features_are_as_said", r"shape \(4, 192\), expected \(4, 193\)"),
        (BatchFamily, "features_do_not_depend_on_others", "not close"),
        (NoisyFamily, "loading_is_repeatable", "two loads give other"),
    ],
)
def test_a_faulty_family_fails(family: type[Family], check: str, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        BACKBONE_CHECKS[check](BackboneUnderTest(family_class=family, argument="8"))
