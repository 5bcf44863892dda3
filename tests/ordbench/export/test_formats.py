"""Files of heads give PyTorch's numbers for any number of rows."""

import json
from collections.abc import Callable
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL.Image import Image
from safetensors import safe_open
from torch import Tensor, nn
from torchvision.transforms.functional import to_tensor

from ordbench.errors import SpecError
from ordbench.export import program
from ordbench.export.deployed import DeployedHead, DeployedModel
from ordbench.export.formats import Exportable, Written, write
from ordbench.export.program import open_session
from ordbench.head import BaseHead
from ordbench.latency.builders import HeadBuilder
from ordbench.latency.setting import LatencySetting, settings
from ordbench.metrics.decoding import to_unit

VALUES = (1.0, 2.0, 4.0, 8.0, 16.0)
FEATURES = torch.randn(7, 64, generator=torch.Generator().manual_seed(0))
ALL = ["onnx", "pt2", "safetensors"]


def setting() -> LatencySetting:
    (one,) = settings(
        stage=["deployed"],
        runtime=["eager"],
        batch=["4"],
        ranks=["5"],
        features=["64"],
        dtype=["float32"],
        device=["cpu"],
        text="",
    )
    return one


def built(name: str) -> BaseHead:
    return HeadBuilder([name]).head(name, setting()).eval()


def exportable(head: BaseHead) -> Exportable:
    about = json.dumps({"head": head.typed_name})
    module = DeployedHead(head, VALUES)
    return Exportable(module=module, takes="features", gives="posterior", about=about)


@cache
def written(name: str) -> dict[str, Written]:
    return write(exportable(built(name)), FEATURES, ALL)


@pytest.mark.parametrize("name", ["coral", "regression", "ordinalclip"])
def test_files_give_the_numbers_of_pytorch(name: str) -> None:
    head, files = built(name), written(name)
    assert list(files) == ALL
    assert max(file.difference for file in files.values()) < 1e-6
    with torch.no_grad():
        position, posterior = head.predict(head.deployed()(FEATURES))
    expected = to_unit(position.numpy(), VALUES) if posterior is None else posterior.numpy()
    session = open_session(files["onnx"].content)
    for rows in (1, 7):  # other numbers than the file was made with
        (found,) = session.run(None, {"features": FEATURES[:rows].numpy()})
        assert found == pytest.approx(expected[:rows], abs=1e-6)
        loaded = torch.export.load(BytesIO(files["pt2"].content)).module()
        assert loaded(FEATURES[:rows]).numpy() == pytest.approx(expected[:rows], abs=1e-6)
    for file in files.values():
        assert str(Path(program.__file__).parents[1]).encode() not in file.content
        assert b"site-packages" not in file.content


def test_metadata_say_what_a_file_is(tmp_path: Path) -> None:
    files = written("coral")
    model = onnx.load_from_string(files["onnx"].content)
    assert {one.key: one.value for one in model.metadata_props}["ordbench"] == '{"head": "coral"}'
    assert [one.name for one in model.graph.input] == ["features"]
    assert [one.name for one in model.graph.output] == ["posterior"]
    assert model.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    extra = {"ordbench": ""}
    torch.export.load(BytesIO(files["pt2"].content), extra_files=extra)
    assert extra["ordbench"] == '{"head": "coral"}'
    (tmp_path / "head.safetensors").write_bytes(files["safetensors"].content)
    with safe_open(tmp_path / "head.safetensors", "numpy") as tensors:
        assert tensors.metadata() == {"ordbench": '{"head": "coral"}'}


def test_no_text_tower_is_exported() -> None:
    tower = HeadBuilder(["ordinalclip"]).tower(setting())
    tower_bytes = sum(4 * p.numel() for p in tower.model.parameters())
    files = written("ordinalclip")
    # 5 prototypes of 512 numbers, and the projection of 64 features to 512 with its bias.
    weights = 4 * (5 * 512 + 64 * 512 + 512)
    for file in files.values():
        assert weights < len(file.content) < weights + 20_000 < tower_bytes / 100
    model = onnx.load_from_string(files["onnx"].content)
    shapes = {tuple(one.dims) for one in model.graph.initializer if len(one.dims) == 2}
    assert {tuple(sorted(shape)) for shape in shapes} == {(5, 512), (64, 512)}
    operations = {node.op_type for node in model.graph.node}
    assert operations >= {"Gemm", "Mul", "ReduceSum", "Sqrt", "Div", "Softmax"}
    assert not operations & {"Attention", "LayerNormalization", "Erf", "Gelu", "Gather"}


class _Tower:
    """A backbone that is a linear map of the pixels."""

    num_features = 64

    def __init__(self) -> None:
        self.transform: Callable[[Image], Tensor] = to_tensor
        self.network: nn.Module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 4 * 4, 64))

    def encode(self, images: Tensor) -> Tensor:
        features: Tensor = self.network(images)
        return features


def test_images_go_through_the_tower() -> None:
    head, tower = DeployedHead(built("coral"), VALUES), _Tower()
    module = DeployedModel(tower, head, normalize=True, what="x:y")
    images = torch.randn(3, 3, 4, 4)
    what = Exportable(module=module, takes="images", gives="posterior", about="{}")
    files = write(what, images, ["onnx"])
    features = tower.encode(images)
    features = features / features.norm(dim=1, keepdim=True)
    (found,) = open_session(files["onnx"].content).run(None, {"images": images.numpy()})
    assert found == pytest.approx(head(features).detach().numpy(), abs=1e-6)


def test_lengths_of_other_norms_are_exported_as_they_are() -> None:
    class Lengths(nn.Module):
        def forward(self, features: Tensor) -> Tensor:
            ones = torch.linalg.vector_norm(features, 1, -1)
            twos = torch.linalg.vector_norm(features, 2, -1)
            return torch.stack([ones, twos, torch.linalg.vector_norm(features, 3, -1)], 1)

    what = Exportable(module=Lengths(), takes="features", gives="lengths", about="{}")
    assert write(what, FEATURES, ["onnx"])["onnx"].difference < 1e-5


def test_a_tower_that_is_no_module_is_refused() -> None:
    tower = _Tower()
    del tower.network
    head = DeployedHead(built("coral"), VALUES)
    with pytest.raises(SpecError, match="backbone x:y cannot be exported: it has no torch module"):
        DeployedModel(tower, head, normalize=False, what="x:y")


def test_what_cannot_be_exported_is_said_in_one_line() -> None:
    class Stranger(nn.Module):
        def forward(self, features: Tensor) -> Tensor:
            return torch.from_numpy(np.asarray(features.numpy()))

    what = Exportable(module=Stranger(), takes="features", gives="posterior", about="{}")
    with pytest.raises(SpecError, match="it cannot be exported: ") as caught:
        write(what, FEATURES, ["pt2"])
    assert "\n" not in str(caught.value)


def test_an_unknown_format_and_a_missing_package_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    what = exportable(built("coral"))
    with pytest.raises(SpecError, match="unknown format 'onx'; did you mean onnx"):
        write(what, FEATURES, ["onx"])
    monkeypatch.setattr(program, "ONNX_PACKAGES", ("onnx", "no-such-package"))
    with pytest.raises(SpecError, match=r"not installed: no-such-package; pip install 'ordbench\["):
        write(what, FEATURES, ["onnx"])
