"""Images are read out of zip archives in place, with all that may be wrong with an archive."""

from __future__ import annotations

import io
import pickle
import stat
import struct
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import PIL.Image
import pytest

from ordbench.data import archives
from ordbench.data.archives import ZipMember, ZippedFolder, zipped_folder
from ordbench.errors import DatasetError

Content = dict[str, bytes]


def png(width: int = 2) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (width, 2), (width, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def packed(path: Path, content: Content, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def listed(folder: ZippedFolder) -> dict[str, str | None]:
    return {name: problem for name, _, problem in folder.files()}


def test_a_member_is_read_and_named_by_its_place(tmp_path: Path) -> None:
    member = ZipMember(packed(tmp_path / "a.zip", {"1/x.png": png()}), "1/x.png")
    assert member.read() == png()
    assert str(member) == f"{tmp_path}/a.zip/1/x.png"
    assert pickle.loads(pickle.dumps(member)) == member


def test_many_threads_read_one_archive(tmp_path: Path) -> None:
    content = {f"{n}.png": png(n) for n in range(1, 200)}
    archive = packed(tmp_path / "a.zip", content)
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda name: ZipMember(archive, name).read(), [*content] * 5))
    assert read == [*content.values()] * 5


def test_an_archive_that_is_replaced_is_read_again(tmp_path: Path) -> None:
    member = ZipMember(packed(tmp_path / "a.zip", {"x.png": png(2)}), "x.png")
    assert member.read() == png(2)
    packed(tmp_path / "a.zip", {"x.png": png(3), "y.png": png()})
    assert member.read() == png(3)


@pytest.mark.parametrize("place", ["gone.zip/x.png", "a.zip/gone.png"])
def test_what_is_not_there_is_named(tmp_path: Path, place: str) -> None:
    packed(tmp_path / "a.zip", {"x.png": png()})
    archive, member = place.split("/")
    with pytest.raises(DatasetError, match=rf"/{archive}/{member} is not there$"):
        ZipMember(tmp_path / archive, member).read()


def test_hidden_members_are_left_out_and_the_others_judged_by_their_header(tmp_path: Path) -> None:
    content = {
        "a/1.png": png(),
        "a/note.txt": b"a text",
        "a/text.png": b"I am a text.",
        "empty.png": b"",
        "__MACOSX/a/._1.png": b"x",
        "a/.DS_Store": b"x",
        ".git/x.png": png(),
    }
    assert listed(ZippedFolder(packed(tmp_path / "a.zip", content))) == {
        "a/1.png": None,
        "a/note.txt": "'.txt' is not the ending of an image file",
        "a/text.png": "not an image: it starts with b'I am a t'",
        "empty.png": "empty file",
    }


def test_a_folder_inside_is_a_folder(tmp_path: Path) -> None:
    content = {"top/10/a.png": png(), "top/9/deep/b.png": png(), "other/c.png": png()}
    archive = packed(tmp_path / "a.zip", {**content, "top/7/": b"", "top/d.png": png()})
    folder = zipped_folder(archive / "top")
    assert folder is not None
    assert folder.subfolders() == ["10", "7", "9"]
    assert (folder.subfolders("9"), folder.subfolders("10")) == (["deep"], [])
    assert list(listed(folder)) == ["10/a.png", "9/deep/b.png", "d.png"]
    assert ZippedFolder(archive).subfolders() == ["other", "top"]


def test_a_name_that_leads_out_stays_inside_as_when_it_is_extracted(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", {"../../1/a.png": png(), "/2/b.png": png()})
    assert list(listed(ZippedFolder(archive))) == ["1/a.png", "2/b.png"]


def test_backslashes_of_windows_part_folders(tmp_path: Path) -> None:
    found = ZippedFolder(packed(tmp_path / "a.zip", {"1\\a.png": png()})).files()
    assert [(one.name, one.problem) for one in found] == [("1/a.png", None)]
    assert isinstance(found[0].image, ZipMember)
    assert found[0].image.read() == png()


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_members_with_one_name_the_last_counts_and_the_other_is_named(
    tmp_path: Path,
) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for width in (2, 3):
            archive.writestr("x.png", png(width))
    first, second = ZippedFolder(tmp_path / "a.zip").files()
    assert [first.problem, second.problem] == ["the archive has it twice", None]
    assert isinstance(second.image, ZipMember)
    assert second.image.read() == png(3)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    assert listed(ZippedFolder(tmp_path / "a.zip")) == {"link.png": "a link"}


def test_what_claims_to_be_too_large_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = packed(tmp_path / "a.zip", {"x.png": png() + b"\0" * 10_000})
    monkeypatch.setattr(archives, "MAX_BYTES", 10_000)
    problem = f"is too large to read safely ({10_000 + len(png())} bytes unpacked)"
    assert listed(ZippedFolder(archive)) == {"x.png": problem}
    with pytest.raises(DatasetError, match="too large to read safely"):
        ZipMember(archive, "x.png").read()


def test_a_member_that_hides_its_size_is_damaged(tmp_path: Path) -> None:
    """The central directory says 100 bytes, and the data unpack to a hundred megabytes."""
    size = 100 * 2**20
    archive = packed(tmp_path / "a.zip", {"x.png": b"\0" * size})
    lies = archive.read_bytes().replace(struct.pack("<I", size), struct.pack("<I", 100))
    archive.write_bytes(lies)
    with pytest.raises(DatasetError, match=r"x\.png cannot be read: Bad CRC-32.*; fetch"):
        ZipMember(archive, "x.png").read()


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_method_that_unpacks_without_a_limit_is_refused(tmp_path: Path, method: int) -> None:
    archive = packed(tmp_path / "a.zip", {"x.png": png()}, method)
    assert listed(ZippedFolder(archive)) == {
        "x.png": "is not compressed by deflate; pack the archive again"
    }


def test_an_encrypted_member_is_named(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", {"x.png": png()})
    content = bytearray(archive.read_bytes())
    for start, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):  # the flags of both headers
        content[content.index(start) + place] |= 1
    archive.write_bytes(content)
    assert listed(ZippedFolder(archive)) == {
        "x.png": "is encrypted; unpack the archive with its password"
    }


def test_damaged_data_cost_one_image_and_not_the_others(tmp_path: Path) -> None:
    archive = packed(tmp_path / "a.zip", {"x.png": png(), "y.png": png()}, zipfile.ZIP_STORED)
    content = bytearray(archive.read_bytes())
    content[content.index(png()) + 20] ^= 255
    archive.write_bytes(content)
    with pytest.raises(DatasetError, match=r"x\.png cannot be read: Bad CRC-32.*; fetch"):
        ZipMember(archive, "x.png").read()
    assert ZipMember(archive, "y.png").read() == png()


def test_what_is_no_archive_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"a text")
    with pytest.raises(DatasetError, match=r"a\.zip cannot be read as a zip archive: File is not"):
        zipped_folder(tmp_path / "a.zip" / "1")
    (tmp_path / "folder.zip").mkdir()
    assert zipped_folder(tmp_path / "folder.zip") is None
    assert zipped_folder(tmp_path / "gone.zip") is None
