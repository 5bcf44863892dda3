"""A backbone whose features are known, the mean colour of an image; it counts what it is asked."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from PIL import Image
from torch import Tensor

from ordbench.backbone import Backbone, BackboneFamily, Dtype, Layer
from ordbench.features.extraction import Features, extract
from ordbench.utils.images import ImageSource


class MeanColour:
    """Mean colour of an image; layer ``pre`` doubles it."""

    num_features = 3

    def __init__(self, family: type["Colours"], layer: Layer, dtype: Dtype) -> None:
        self.family = family
        self.factor = 2.0 if layer == "pre" else 1.0
        self.dtype: torch.dtype = getattr(torch, dtype)

    @staticmethod
    def transform(image: Image.Image) -> Tensor:
        return (
            torch.tensor(list(image.resize((4, 4)).tobytes())).view(4, 4, 3).permute(2, 0, 1) / 255
        )

    def encode(self, images: Tensor) -> Tensor:
        self.family.encoded.append(len(images))
        means = self.family.scale * images.mean((2, 3)) * self.factor
        return means.to(self.dtype).float()


class Colours(BackboneFamily):
    title = source = needs = "nothing"
    libraries = ("ordbench",)
    weights: ClassVar[str] = "w"
    scale: ClassVar[float] = 1.0
    encoded: ClassVar[list[int]] = []
    loaded: ClassVar[list[Dtype]] = []

    def fingerprint(self, argument: str) -> str:
        return f"{self.weights}{argument}"

    def load(self, argument: str, *, layer: Layer, device: str, dtype: Dtype) -> Backbone:
        self.loaded.append(dtype)
        return MeanColour(type(self), layer, dtype)

    def load_text_tower(self, argument: str, *, device: str) -> None:
        return None


def offer(monkeypatch: pytest.MonkeyPatch) -> type[Colours]:
    """Make ``colours:ARGUMENT`` the only backbone there is."""

    class Fresh(Colours):
        encoded: ClassVar[list[int]] = []
        loaded: ClassVar[list[Dtype]] = []

    monkeypatch.setattr("ordbench.features.extraction.BACKBONES", {"colours": Fresh})
    return Fresh


def draw(folder: Path) -> list[Path]:
    """A red, a green and a grey-blue image: (1, 0, 0), (0, 1, 0) and (0.2, 0.4, 0.6)."""
    files = [folder / f"{n}.png" for n in range(3)]
    for file, colour in zip(files, ((255, 0, 0), (0, 255, 0), (51, 102, 153)), strict=True):
        Image.new("RGB", (5, 7), colour).save(file)
    return files


def run(images: Sequence[ImageSource], folder: Path, **changes: Any) -> Features:  # noqa: ANN401
    """Extract with defaults; the cache lies in ``folder``."""
    options: dict[str, Any] = {"backbone": "colours:x", "cache": folder / "cache", **changes}
    return extract(images, **options)
