"""Files inside tar archives, read in place: headers are read once, members by their offset."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ordbench.data.archives import path_inside, size_problem
from ordbench.errors import DatasetError
from ordbench.utils.text import counted, one_line

_BLOCK = 512
# What a broken archive makes tarfile raise; a chain of long names recurses.
_BROKEN = (tarfile.TarError, OSError, RuntimeError, EOFError, ValueError)


@dataclass(frozen=True)
class TarMember:
    """One file in a tar archive, as an `ordbench.ImageBytes`.

    Attributes:
        archive: The archive.
        member: Its name in there.
        offset: Where its bytes begin in the archive.
        size: How many they are.
    """

    archive: Path
    member: str
    offset: int
    size: int

    def __str__(self) -> str:
        return str(self.archive / self.member)

    def read(self) -> bytes:
        """See `ordbench.ImageBytes.read`.

        Raises:
            DatasetError: If the archive is not there or ends before the member.
        """
        return self.start(self.size)

    def start(self, size: int) -> bytes:
        """Its first bytes, as many as ``size`` at most.

        Raises:
            DatasetError: As `read`.
        """
        wanted = min(size, self.size)
        try:
            with self.archive.open("rb") as file:
                file.seek(self.offset)
                data = file.read(wanted)
        except FileNotFoundError:
            raise DatasetError(f"{self} is not there") from None
        except OSError as error:
            raise DatasetError(f"{self} cannot be read: {error.strerror}") from None
        if len(data) < wanted:
            raise DatasetError(f"{self} is cut off; fetch the archive again")
        return data


class TarEntry(NamedTuple):
    """What an archive holds under one name.

    Attributes:
        name: Its path, as if it were extracted: without a root, ``.`` and ``..``.
        member: Where its bytes lie.
        problem: Why it is not to be read; None where it may be.
    """

    name: str
    member: TarMember
    problem: str | None


def tar_entries(archive: Path) -> list[TarEntry]:
    """What a tar archive holds, but for folders, in its order.

    Raises:
        DatasetError: If it is no tar archive, is compressed or ends early.
    """
    try:
        if archive.exists() and not archive.is_file():  # opening a pipe would wait for a writer
            raise OSError("not a regular file")
        with tarfile.open(archive, "r:") as opened:
            return _entries(archive, opened)
    except FileNotFoundError:
        raise DatasetError(f"{archive} is not there") from None
    except _BROKEN as error:
        raise DatasetError(
            f"{archive} cannot be read as a tar archive: {one_line(error)}; fetch it again, or "
            "unpack it by gunzip if it is compressed"
        ) from None


def _entries(archive: Path, opened: tarfile.TarFile) -> list[TarEntry]:
    """The members of an open archive.

    Raises:
        ValueError: If it ends early.
        tarfile.TarError: If it is damaged.
    """
    end = archive.stat().st_size
    entries: list[TarEntry] = []
    behind = 0
    while (info := opened.next()) is not None:
        if info.size < 0 or info.offset_data < behind:  # it would be read for ever
            raise ValueError(f"the header of {info.name!r} is damaged")
        behind = info.offset_data
        name = "/".join(path_inside(info.name))
        if info.isdir() or not name:
            continue
        member = TarMember(archive, name, info.offset_data, info.size)
        if info.isreg() and info.offset_data + info.size > end:
            raise ValueError(f"it ends within {name!r}")
        entries.append(TarEntry(name, member, _problem(info)))
    with archive.open("rb") as file:  # tarfile stops at a broken header as at the end mark
        file.seek(opened.offset)
        if file.read(_BLOCK) != bytes(_BLOCK):
            raise ValueError(f"it is damaged or cut off after {counted(len(entries), 'file')}")
    return entries


def _problem(info: tarfile.TarInfo) -> str | None:
    if info.issym() or info.islnk():
        return "a link"
    if not info.isreg():
        return "not a regular file"
    if info.sparse is not None:
        return "a sparse file; pack the archive again without --sparse"
    return size_problem(info.size)
