"""Files are read out of tar archives in place, with all that may be wrong with an archive."""

from __future__ import annotations

import io
import os
import pickle
import tarfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from ordbench.data import archives
from ordbench.data.tar_archives import TarMember, tar_entries
from ordbench.errors import DatasetError


def packed(path: Path, *members: tuple[str, bytes], form: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, "w", format=form) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_are_read_where_tarfile_finds_them(tmp_path: Path, form: int) -> None:
    long = "x" * 90 + "/" + "y" * 90 + ".jpg"
    content = [(f"{n}.jpg", bytes([n]) * (n * 100)) for n in range(40)] + [(long, b"long")]
    archive = packed(tmp_path / "a.tar", *content, form=form)
    entries = tar_entries(archive)
    assert [(entry.name, entry.problem) for entry in entries] == [(n, None) for n, _ in content]
    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(lambda entry: entry.member.read(), entries * 5))
    assert read == [data for _, data in content] * 5
    member = entries[3].member
    assert (str(member), member.start(2)) == (f"{archive}/3.jpg", b"\3\3")
    assert pickle.loads(pickle.dumps(member)) == member


def test_a_name_that_leads_out_stays_inside(tmp_path: Path) -> None:
    names = ["/etc/a.jpg", "../../b.jpg", "./c.jpg", "d\\e.jpg", ".."]
    archive = packed(tmp_path / "a.tar", *[(name, b"x") for name in names])
    assert [e.name for e in tar_entries(archive)] == ["etc/a.jpg", "b.jpg", "c.jpg", "d/e.jpg"]


def test_what_is_no_regular_file_is_named_and_not_followed(tmp_path: Path) -> None:
    kinds = {"link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE, "pipe": tarfile.FIFOTYPE}
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for name, kind in {**kinds, "disk": tarfile.BLKTYPE, "folder": tarfile.DIRTYPE}.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    assert {entry.name: entry.problem for entry in tar_entries(tmp_path / "a.tar")} == {
        "link": "a link",
        "hard": "a link",
        "pipe": "not a regular file",
        "disk": "not a regular file",
    }


def test_what_is_too_large_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = packed(tmp_path / "a.tar", ("x.jpg", bytes(5000)))
    monkeypatch.setattr(archives, "MAX_BYTES", 4999)
    problem = tar_entries(archive)[0].problem
    assert problem == "is too large to read safely (5000 bytes unpacked)"


def claims(size: bytes) -> Callable[[bytes], bytes]:
    """The second header says another size, with a right checksum."""

    def change(content: bytes) -> bytes:
        header = bytearray(content[1024:1536])
        header[124:136] = size
        header[148:156] = b" " * 8
        header[148:156] = b"%06o\0 " % sum(header)
        return content[:1024] + bytes(header) + content[1536:]

    return change


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda content: content[:700], "x.tar cannot be read as a tar archive: "),
        (lambda content: content[:1800], "it ends within 'b.jpg'"),
        (lambda content: content[:1024], "it is damaged or cut off after 1 file; fetch it again"),
        (lambda content: content[:1030], "it is damaged or cut off after 1 file"),
        (
            lambda content: content[:1024] + b"?" * 512 + content[1536:],
            "damaged or cut off",
        ),
        (claims(b"77777777777\0"), "it ends within 'b.jpg'"),
        (claims(b"\xff" * 11 + b"\x00"), "is damaged|cannot be read"),
        (lambda content: b"\x1f\x8b" + content, "unpack it by gunzip if it is compressed"),
        (lambda content: b"", "empty file"),
    ],
)
def test_a_damaged_archive_is_refused_in_one_line(
    tmp_path: Path, damage: Callable[[bytes], bytes], message: str
) -> None:
    archive = packed(
        tmp_path / "x.tar", ("a.jpg", b"1" * 512), ("b.jpg", b"2" * 600), form=tarfile.USTAR_FORMAT
    )
    archive.write_bytes(damage(archive.read_bytes()))
    with pytest.raises(DatasetError, match=message) as caught:
        tar_entries(archive)
    assert "\n" not in str(caught.value)


def test_a_shard_that_changes_while_it_is_read_is_named(tmp_path: Path) -> None:
    member = TarMember(tmp_path / "x.tar", "a.jpg", 512, 3)
    with pytest.raises(DatasetError, match=r"x\.tar/a\.jpg is not there"):
        member.read()
    member.archive.write_bytes(bytes(513))
    with pytest.raises(DatasetError, match=r"x\.tar/a\.jpg is cut off; fetch"):
        member.read()


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.tar")
    with pytest.raises(DatasetError, match="not a regular file"):
        tar_entries(tmp_path / "x.tar")
