"""Extraction with decoding, hashing and caching against the bare forward of the same backbone.

Measured turn by turn in one process, so that what else the machine does meets both alike; the
least time of each is compared.

Run: ORDBENCH_PHOTOS=FOLDER pytest benchmarks/test_extraction.py
FOLDER holds photographs, those of UTKFace, say; without it the images are noise.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import timm
import torch
from PIL import Image
from pytest_benchmark.fixture import BenchmarkFixture
from torch import Tensor

from ordbench.backbone import Backbone, BackboneFamily, Dtype, Layer
from ordbench.backbones.frozen import ImageTower, Preprocessing
from ordbench.features.extraction import BATCH_SIZES, extract
from ordbench.features.image_loader import Decoded, decoded

NUM_IMAGES = 64
PHOTOS = os.environ.get("ORDBENCH_PHOTOS", "")
BATCH_SIZE = BATCH_SIZES["cpu"]
ROUNDS = 6


def resize(image: Image.Image) -> Tensor:
    pixels = torch.frombuffer(bytearray(image.resize((224, 224)).tobytes()), dtype=torch.uint8)
    return pixels.view(224, 224, 3).permute(2, 0, 1) / 255


@pytest.fixture
def images(tmp_path: Path) -> list[Path]:
    """Photographs, or else noise as large as aligned faces: 200 by 200 pixels, about 10 kB."""
    if PHOTOS:
        return sorted(Path(PHOTOS).rglob("*.jpg"))[:NUM_IMAGES]
    files = [tmp_path / f"{n}.jpg" for n in range(NUM_IMAGES)]
    for file in files:
        Image.effect_noise((200, 200), 20).convert("RGB").save(file, quality=85)
    return files


def family_of(tower: Backbone) -> type[BackboneFamily]:
    class Loaded(BackboneFamily):
        """Its loading takes no time, so that only the extraction is measured."""

        title = source = needs = ""

        def fingerprint(self, argument: str) -> str:
            return argument

        def load(self, argument: str, *, layer: Layer, device: str, dtype: Dtype) -> Backbone:
            return tower

        def load_text_tower(self, argument: str, *, device: str) -> None:
            return None

    return Loaded


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_extraction_beside_the_bare_forward(
    dtype: Dtype,
    images: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    benchmark: BenchmarkFixture,
) -> None:
    network = timm.create_model("resnet50", num_classes=0)
    transform = Preprocessing(resize, "resize(224)")
    tower = ImageTower(network, transform, device="cpu", dtype=dtype, what="resnet50")
    monkeypatch.setattr("ordbench.features.extraction.BACKBONES", {"loaded": family_of(tower)})
    batches = [
        torch.stack([one.tensor for one in batch if isinstance(one, Decoded)])
        for batch in decoded(images, transform, BATCH_SIZE)
    ]
    caches = (tmp_path / f"cache{n}" for n in range(1000))

    def bare() -> None:
        for batch in batches:
            tower.encode(batch)

    def whole() -> None:
        got = extract(images, backbone="loaded:x", cache=next(caches), batch_size=BATCH_SIZE)
        assert got.decoded == NUM_IMAGES

    bare()
    bare_seconds, whole_seconds = [], []

    def turn() -> None:
        bare_seconds.append(seconds(bare))
        whole_seconds.append(seconds(whole))

    benchmark.pedantic(turn, rounds=ROUNDS)
    bare_speed, whole_speed = NUM_IMAGES / min(bare_seconds), NUM_IMAGES / min(whole_seconds)
    speeds = {"bare": bare_speed, "extraction": whole_speed, "ratio": whole_speed / bare_speed}
    benchmark.extra_info.update(speeds, images="photographs" if PHOTOS else "noise")
