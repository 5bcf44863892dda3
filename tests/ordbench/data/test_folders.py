from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Callable
from pathlib import Path

import PIL.Image
import pytest

from ordbench.data.folders import ImageFolder, image_folder
from ordbench.errors import DatasetError

NAMES = [
    "10/a.png",
    "9/b.png",
    "9/deep/c.png",
    "d.png",
    ".hidden/e.png",
    "7/.x.png",
    "e\u0301/f.png",
]


def opened(path: Path) -> ImageFolder:
    folder = image_folder(path)
    assert folder is not None
    return folder


@pytest.fixture
def on_disk(tmp_path: Path) -> Path:
    for name in NAMES:
        (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        PIL.Image.new("RGB", (2, 2)).save(tmp_path / "root" / name)
    return tmp_path / "root"


@pytest.fixture(params=["disk", "zip", "inside"])
def folder(request: pytest.FixtureRequest, on_disk: Path, tmp_path: Path) -> ImageFolder:
    """The same files on the disk, as a zip archive, and as a folder inside one."""
    if request.param == "disk":
        return opened(on_disk)
    inside = request.param == "inside"
    root = tmp_path if inside else on_disk
    archive = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", root))
    return opened(archive / "root" if inside else archive)


def test_a_folder_is_the_same_wherever_it_lies(folder: ImageFolder) -> None:
    composed = unicodedata.normalize("NFC", "e\u0301")
    names = ["10/a.png", "9/b.png", "9/deep/c.png", "d.png", f"{composed}/f.png"]
    assert [(one.name, one.problem) for one in folder.files()] == [(name, None) for name in names]
    assert {unicodedata.normalize("NFC", name) for name in folder.subfolders()} == {
        *("10", "7", "9"),
        composed,
    }
    assert folder.subfolders("9") == ["deep"]
    assert folder.subfolders("9", "deep") == []


def test_there_is_no_folder(on_disk: Path, tmp_path: Path) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", on_disk))
    for path in (on_disk / "gone", on_disk / "d.png", archive / "gone"):
        assert image_folder(path) is None


def test_a_folder_that_may_not_be_read_is_refused(
    on_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    replace: Callable[..., None] = monkeypatch.setattr
    replace(Path, "iterdir", closed)
    with pytest.raises(DatasetError, match="root cannot be read: Permission denied; change"):
        opened(on_disk).subfolders()
