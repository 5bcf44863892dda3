"""What every backbone must do: checks by name, each raises an AssertionError that says why.

In the tests of a package that brings a family of backbones, with pytest:

    from ordbench.testing.backbones import BACKBONE_CHECKS, BackboneUnderTest

    @pytest.mark.parametrize("check", BACKBONE_CHECKS)
    def test_my_family(check):
        case = BackboneUnderTest(family_class=MyFamily, argument="small")
        if reason := BACKBONE_CHECKS[check](case):
            pytest.skip(reason)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ordbench.backbone import Backbone, BackboneFamily
from ordbench.errors import BackboneError
from ordbench.testing.imports import loaded_with


@dataclass(frozen=True, kw_only=True)
class BackboneUnderTest:
    """A family of backbones, and one of them.

    Attributes:
        family_class: The family.
        argument: What stands after ``FAMILY:``; its weights must be here, or be fetched.
        missing: An argument that names nothing.
    """

    family_class: type[BackboneFamily]
    argument: str
    missing: str = "no-such-model/no-such-weights"

    def load(self) -> Backbone:
        """The image side, after the projection, in float32 on the CPU."""
        return self.family_class().load(self.argument, layer="post", device="cpu", dtype="float32")


Check = Callable[[BackboneUnderTest], str | None]
"""Raises AssertionError if it fails; returns why it does not apply, or None."""


def family_is_described(case: BackboneUnderTest) -> None:
    """Title, source and needs are one line each and not empty; importing it loads no torch."""
    for name in ("title", "source", "needs"):
        value = getattr(case.family_class, name, "")
        assert value.strip() == value != "", f"{name} is empty or has blanks around it"
        assert "\n" not in value, f"{name} has more than one line"
    loaded = loaded_with(case.family_class.__module__, ["torch"])
    assert not loaded, "importing it loads torch"


def weights_have_a_fingerprint(case: BackboneUnderTest) -> None:
    """The fingerprint is a SHA-256, the same at each call."""
    first, second = (case.family_class().fingerprint(case.argument) for _ in range(2))
    assert first == second, "two fingerprints of the same weights differ"
    assert len(first) == 64, f"{first!r} is no SHA-256 in hexadecimal"
    assert case.family_class().weights_size(case.argument) >= 0, "a negative size"


def unknown_weights_are_refused(case: BackboneUnderTest) -> None:
    """A model that does not exist is refused in one line."""
    family = case.family_class()
    calls: dict[str, Callable[[], object]] = {
        "fingerprint": lambda: family.fingerprint(case.missing),
        "load": lambda: family.load(case.missing, layer="post", device="cpu", dtype="float32"),
    }
    for name, call in calls.items():
        try:
            call()
        except BackboneError as error:
            said = str(error)
        else:
            raise AssertionError(f"{name} takes {case.missing!r}")
        assert "\n" not in said, f"the error of {name} has more than one line: {said}"


def features_are_as_said(case: BackboneUnderTest) -> None:
    """Pictures of any shape give finite float32 features ``(N, num_features)``."""
    backbone = case.load()
    features = _features(backbone, pictures())
    wanted = (len(pictures()), backbone.num_features)
    assert features.shape == wanted, f"shape {tuple(features.shape)}, expected {wanted}"
    assert features.dtype == torch.float32, f"{features.dtype}, expected float32"
    assert features.isfinite().all(), "a feature is not finite"
    assert not features.requires_grad, "features require a gradient; the backbone is frozen"
    assert features.std(0).max() > 0, "all pictures have the same features"


def features_do_not_depend_on_others(case: BackboneUnderTest) -> None:
    """A picture has the same features whatever stands beside it in a batch of the same size."""
    backbone = case.load()
    one, *others = pictures()
    first = _features(backbone, [one, *others])[0]
    again = _features(backbone, [one, *reversed(others)])[0]
    torch.testing.assert_close(again, first, rtol=1e-4, atol=1e-5)


def loading_is_repeatable(case: BackboneUnderTest) -> None:
    """Two loads give the same features, bit by bit, and preprocess in the same way."""
    first, second = case.load(), case.load()
    same = torch.equal(_features(first, pictures()), _features(second, pictures()))
    assert same, "two loads give other features"
    assert repr(first.transform) == repr(second.transform), "the transforms are described otherwise"


def text_tower_answers_in_the_joint_space(case: BackboneUnderTest) -> str | None:
    """Sentences give finite features ``(N, embed_dim)``, as wide as those of images."""
    tower = case.family_class().load_text_tower(case.argument, device="cpu")
    if tower is None:
        return "it has no text tower"
    features = tower.encode(["a photo.", "another photo."])
    assert features.shape == (2, tower.embed_dim), f"shape {tuple(features.shape)}"
    assert features.isfinite().all(), "a feature is not finite"
    assert tower.embed_dim == case.load().num_features, "images have features of another width"
    ids = tower.tokenize("a photo")
    embedded = tower.embed(torch.tensor(ids))
    assert embedded.shape == (len(ids), tower.width), f"embeddings {tuple(embedded.shape)}"
    assert all(not p.requires_grad for p in tower.model.parameters()), "the tower is not frozen"
    return None


BACKBONE_CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        family_is_described,
        weights_have_a_fingerprint,
        unknown_weights_are_refused,
        features_are_as_said,
        features_do_not_depend_on_others,
        loading_is_repeatable,
        text_tower_answers_in_the_joint_space,
    )
}


def pictures() -> list[Image.Image]:
    """Four RGB pictures of noise, wide, tall, tiny and square; the same at each call."""
    chance = np.random.default_rng(0)
    sizes = ((96, 48), (48, 96), (9, 7), (64, 64))
    return [
        Image.fromarray(chance.integers(0, 256, (height, width, 3), dtype=np.uint8))
        for width, height in sizes
    ]


def _features(backbone: Backbone, images: list[Image.Image]) -> Tensor:
    return backbone.encode(torch.stack([backbone.transform(image) for image in images]))
