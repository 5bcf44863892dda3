"""Randomly initialised CLIPs, and a Hugging Face hub on this machine."""

import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import open_clip
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from ordbench.backbone import Backbone, Dtype, Layer, TextTower
from ordbench.backbones.clip.family import Clip
from tests.ordbench.hub import serving

VIT = {"layers": 2, "width": 32, "head_width": 16, "patch_size": 16, "image_size": 32}
RESNET = {"layers": [1, 1, 1, 1], "width": 8, "head_width": 8, "image_size": 32}
TIMM = {"timm_model_name": "test_vit", "timm_pool": "token", "image_size": 160}
TEXT = {"context_length": 77, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2}
BOTH_WAYS = TEXT | {"no_causal_mask": True, "pool_type": "last", "proj_bias": True}
KINDS: dict[str, dict[str, Any]] = {
    "vit": {"vision_cfg": VIT, "text_cfg": TEXT},
    "quick": {"vision_cfg": VIT, "text_cfg": TEXT, "quick_gelu": True},
    "custom": {"vision_cfg": VIT, "text_cfg": TEXT, "custom_text": True},
    "resnet": {"vision_cfg": RESNET, "text_cfg": TEXT},
    "timm": {"vision_cfg": TIMM, "text_cfg": TEXT, "custom_text": True},
    "timm head": {"vision_cfg": TIMM | {"timm_proj": "none"}, "text_cfg": TEXT, "embed_dim": 64},
    "both ways": {"vision_cfg": VIT, "text_cfg": BOTH_WAYS, "custom_text": True},
    "sentencepiece": {"vision_cfg": VIT, "text_cfg": TEXT | {"hf_tokenizer_name": "org/words"}},
    "coca": {"vision_cfg": VIT, "text_cfg": TEXT | {"embed_cls": True}, "custom_text": True},
}
PREPROCESS = {
    "mean": [0.5, 0.4, 0.3],
    "std": [0.25, 0.25, 0.2],
    "interpolation": "bilinear",
    "resize_mode": "squash",
}

PROMPTS = ["a photo of a 35 years old person.", "age estimation: the age is 7."]


def images_of(argument: str, layer: Layer = "post", dtype: Dtype = "float32") -> Backbone:
    return Clip().load(argument, layer=layer, device="cpu", dtype=dtype)


def text_of(argument: str) -> TextTower:
    tower = Clip().load_text_tower(argument, device="cpu")
    assert tower is not None
    return tower


def close(got: Tensor, wanted: Tensor) -> None:
    torch.testing.assert_close(got, wanted, rtol=1e-4, atol=1e-5)


class RandomClip(NamedTuple):
    """A folder as ``clip:NAME@FOLDER`` takes it, and open_clip's own model of it."""

    folder: Path
    model: Any
    size: int

    @property
    def argument(self) -> str:
        return f"random@{self.folder}"

    def images(self) -> Tensor:
        generator = torch.Generator().manual_seed(0)
        return torch.randn(3, 3, self.size, self.size, generator=generator)


Make = Callable[[str], RandomClip]


@pytest.fixture(scope="session")
def random_clip(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Make one of `KINDS`, once a session."""
    made: dict[str, RandomClip] = {}

    def make(kind: str) -> RandomClip:
        if kind not in made:
            made[kind] = _write(kind, tmp_path_factory.mktemp("clip"))
        return made[kind]

    return make


def _write(kind: str, folder: Path) -> RandomClip:
    config: dict[str, Any] = {"embed_dim": 24, **KINDS[kind]}
    torch.manual_seed(0)
    plain = {key: value for key, value in config.items() if key != "custom_text"}
    classes: dict[bool, Any] = {True: open_clip.CustomTextCLIP, False: open_clip.CLIP}
    model = classes[bool(config.get("custom_text"))](**plain).eval()
    save_file(
        {k: v.contiguous() for k, v in model.state_dict().items()}, folder / "model.safetensors"
    )
    text = json.dumps({"model_cfg": config, "preprocess_cfg": PREPROCESS})
    (folder / "open_clip_config.json").write_text(text)
    return RandomClip(folder, model, int(config["vision_cfg"]["image_size"]))


class Hub(BaseHTTPRequestHandler):
    """As much of the Hugging Face hub as a download asks for."""

    files: ClassVar[dict[str, bytes]]
    asked: ClassVar[list[str]]

    def do_HEAD(self) -> None:
        self.asked.append(f"{self.command} {self.path}")
        name = self.path.rpartition("/")[2]
        if name not in self.files:
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("ETag", f'"{sha256(self.files[name]).hexdigest()}"')
        self.send_header("X-Repo-Commit", "c" * 40)
        self.send_header("Content-Length", str(len(self.files[name])))
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()
        self.wfile.write(self.files.get(self.path.rpartition("/")[2], b""))

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    class Ours(Hub):
        files: ClassVar = {"model.safetensors": b"safe", "pytorch_model.bin": b"pickled"}
        asked: ClassVar = []

    with serving(Ours, tmp_path / "hub", monkeypatch):
        yield Ours
