import pickle
import warnings
from pathlib import Path
from zipfile import ZipFile

import pytest
import torch
from torch import Tensor, nn

from ordbench.backbones.checkpoints import read_tensors
from ordbench.backbones.torchscript import read_torchscript
from ordbench.errors import BackboneError


class Tower(nn.Module):
    """Parameters, buffers, shared weights, half precision, and a tensor that is neither."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(nn.Conv2d(3, 4, 2), nn.BatchNorm2d(4), nn.Linear(4, 4))
        self.again = self.trunk[2]
        self.scale = nn.Parameter(torch.randn(3, 2, dtype=torch.half).T)
        self.mask = torch.ones(2)

    def forward(self, images: Tensor) -> Tensor:
        return self.trunk(images) + self.mask.sum() + self.scale.sum()


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    with warnings.catch_warnings(action="ignore"):  # torch calls TorchScript deprecated
        torch.jit.save(torch.jit.script(Tower()), tmp_path / "tower.pt")
    return tmp_path / "tower.pt"


def test_tensors_are_those_of_the_state_dict(archive: Path) -> None:
    with warnings.catch_warnings(action="ignore"):
        wanted = torch.jit.load(archive).state_dict()
    got = read_tensors(archive, what="x")
    assert got.keys() == wanted.keys()
    assert "mask" not in got
    assert all(torch.equal(got[k], wanted[k]) and got[k].dtype == wanted[k].dtype for k in got)


def test_an_archive_that_names_code_is_refused_and_it_does_not_run(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.mkdir, (tmp_path / "mark",)

    with ZipFile(tmp_path / "bomb.pt", "w") as file:
        file.writestr("bomb/data.pkl", pickle.dumps({"a": Bomb()}))
        file.writestr("bomb/constants.pkl", b"")
    with pytest.raises(pickle.UnpicklingError, match=r"it names pathlib\.Path|it names builtins"):
        read_torchscript(tmp_path / "bomb.pt")
    with pytest.raises(BackboneError, match=r"bomb\.pt cannot be read as weights"):
        read_tensors(tmp_path / "bomb.pt", what="x")
    assert not (tmp_path / "mark").exists()
