from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import PIL.Image
import pytest

from ordbench.data.image_files import existing, header_problem, name_of, walk
from ordbench.errors import DatasetError


@pytest.mark.parametrize("ending", ["jpg", "png", "bmp", "gif", "webp", "tiff", "ppm"])
def test_the_header_of_every_kind_passes(tmp_path: Path, ending: str) -> None:
    PIL.Image.new("RGB", (2, 2)).save(tmp_path / f"image.{ending}")
    assert header_problem(tmp_path / f"image.{ending}") is None


def test_the_header_tells_what_is_no_image(tmp_path: Path) -> None:
    (tmp_path / "empty.jpg").touch()
    assert header_problem(tmp_path / "empty.jpg") == "empty file"
    (tmp_path / "text.jpg").write_text("I am a text, not an image.")
    assert header_problem(tmp_path / "text.jpg") == "not an image: it starts with b'I am a t'"
    assert header_problem(tmp_path / "gone.png") == "cannot be read: No such file or directory"
    (tmp_path / "sound.webp").write_bytes(b"RIFF\0\0\0\0WAVEfmt ")
    assert str(header_problem(tmp_path / "sound.webp")).startswith("not an image")


@pytest.mark.parametrize("name", ["phone.HEIC", "renamed.jpg"])
def test_photos_of_phones_say_what_to_do(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\0\0\0\x18ftypheic")
    problem = "HEIC and AVIF are not read; convert it to JPEG or PNG"
    assert header_problem(tmp_path / name) == problem


def test_a_file_that_may_not_be_looked_at_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(path: Path) -> bool:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "is_dir", closed)
    assert header_problem(tmp_path / "a.png") == "cannot be read: Permission denied"


def test_files_are_walked_in_one_order_and_hidden_ones_left_out(tmp_path: Path) -> None:
    names = ["b/2.jpg", "b.jpg", "a/1.jpg", ".git/x.jpg", "__MACOSX/._1.jpg", "a/.DS_Store"]
    for name in [*names, "a/@eaDir/1.jpg/THUMB_M.jpg"]:
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).touch()
    assert [name_of(file, tmp_path) for file in walk(tmp_path)] == ["a/1.jpg", "b.jpg", "b/2.jpg"]


def test_a_linked_folder_is_listed_once_and_where_it_lies(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    for file in (root / "1" / "a.jpg", root / "2" / "b.jpg", elsewhere / "c.jpg"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    targets = {"1/more": root / "2", "1/up": tmp_path, "1/loop": root, "3": elsewhere}
    for name, target in {**targets, "4": elsewhere}.items():
        (root / name).symlink_to(target)
    found = walk(root)
    links = {name_of(file, root) for file in found if file.is_dir()}
    assert {name_of(file, root) for file in found} - links == {"1/a.jpg", "2/b.jpg", "3/c.jpg"}
    assert links == {"1/more", "1/up", "1/loop", "4"}
    assert header_problem(root / "4") == "a link to a folder that is listed elsewhere"


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    assert header_problem(tmp_path / "pipe.png") == "not a regular file"
    assert header_problem(tmp_path / "folder.png") == "a folder, not a file"


def test_a_name_is_found_in_either_unicode_form(tmp_path: Path) -> None:
    one, two = (unicodedata.normalize(form, "\xe9t\xe9") for form in ("NFC", "NFD"))
    (tmp_path / two).mkdir()
    (tmp_path / two / f"{one}.jpg").touch()
    for folder in (one, two):
        for file in (one, two):
            found = existing(tmp_path / folder / f"{file}.jpg")
            assert found == tmp_path / two / f"{one}.jpg"
            assert name_of(found, tmp_path) == f"{one}/{one}.jpg"
    assert existing(tmp_path / "gone" / one) == tmp_path / "gone" / one


def test_a_folder_that_cannot_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "1" / "deep"
    closed.mkdir(parents=True)
    scandir = os.scandir

    def refusing(path: str) -> object:  # root may read whatever its mode says
        if Path(path) == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(DatasetError, match="deep cannot be read: Permission denied; change its"):
        walk(tmp_path)


def test_a_name_that_is_no_utf8_is_spelled() -> None:
    assert name_of(Path("faces/m\udcfcller.jpg"), Path("faces")) == "m\\udcfcller.jpg"
