"""Images inside zip archives, read in place: nothing is extracted to the disk."""

from __future__ import annotations

import stat
import threading
import zlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from ordbench.data.image_files import FoundImage, bytes_problem, composed, visible
from ordbench.errors import DatasetError
from ordbench.utils.text import one_line

# No image that can be decoded safely is larger; a few bytes of an archive may claim any size.
MAX_BYTES = 2**28
_ENCRYPTED = 1  # in the flags of a member
# What a broken archive makes zipfile raise.
_BROKEN = (BadZipFile, OSError, RuntimeError, EOFError, ValueError, zlib.error)

_opening = threading.Lock()  # an open archive counts the members that are read, without a lock


@dataclass(frozen=True)
class ZipMember:
    """One file in a zip archive, as an `ordbench.ImageBytes`.

    Attributes:
        archive: The archive.
        member: Its name in there, as the archive spells it.
    """

    archive: Path
    member: str

    def __str__(self) -> str:
        return str(self.archive / self.member)

    def read(self) -> bytes:
        """See `ordbench.ImageBytes.read`.

        Raises:
            DatasetError: If it is not there, or is encrypted, too large or damaged.
        """
        try:
            archive = _opened(self.archive)
            info = archive.getinfo(self.member)
            if problem := _info_problem(info):
                raise DatasetError(f"{self} {problem}")
            return _read(archive, info, info.file_size + 1)  # more is damaged, or a bomb
        except (FileNotFoundError, KeyError):
            raise DatasetError(f"{self} is not there") from None
        except _BROKEN as error:
            raise DatasetError(
                f"{self} cannot be read: {one_line(error)}; fetch the archive again"
            ) from None

    def problem(self) -> str | None:
        """Why it is no image, judged by its entry in the archive and its first 12 bytes."""
        try:
            archive = _opened(self.archive)
            info = archive.getinfo(self.member)
            if stat.S_ISLNK(info.external_attr >> 16):
                return "a link"
            return _info_problem(info) or bytes_problem(self.member, _read(archive, info, 12))
        except KeyError:
            return "is not in the archive"
        except _BROKEN as error:
            return f"cannot be read: {one_line(error)}"


class ZippedFolder:
    """A folder inside a zip archive, or the whole archive, as an `ImageFolder`.

    Args:
        archive: The archive.
        inside: Names of the folders that lead there.

    Raises:
        DatasetError: If the archive cannot be read.
    """

    def __init__(self, archive: Path, inside: tuple[str, ...] = ()) -> None:
        self._archive = archive
        self._depth = len(inside)
        try:
            infos = _opened(archive).infolist()
        except _BROKEN as error:
            raise _not_zip(archive, error) from None
        wanted = tuple(map(composed, inside))
        self._members = [
            (parts, info)
            for info in infos
            if (parts := _parts(info))[: self._depth] == wanted
            and all(map(visible, parts[self._depth :]))
        ]

    def exists(self) -> bool:
        """Whether anything lies in it."""
        return not self._depth or bool(self._members)

    def subfolders(self, *below: str) -> list[str]:
        """See `ImageFolder.subfolders`."""
        depth = self._depth + len(below)
        return sorted(
            {
                parts[depth]
                for parts, info in self._members
                if parts[self._depth : depth] == below
                and (len(parts) > depth + 1 or (info.is_dir() and len(parts) == depth + 1))
            }
        )

    def files(self) -> list[FoundImage]:
        """See `ImageFolder.files`; of members with one name, the last one counts."""
        last = {parts: info for parts, info in self._members if not info.is_dir()}
        found: list[FoundImage] = []
        for parts, info in sorted(self._members, key=lambda member: _path(member[1])):
            if not info.is_dir():
                member = ZipMember(self._archive, info.filename)
                problem = member.problem() if last[parts] is info else "the archive has it twice"
                found.append(FoundImage("/".join(parts[self._depth :]), member, problem))
        return found


def zipped_folder(path: Path) -> ZippedFolder | None:
    """The folder at a path that is a zip archive or leads into one (``faces.zip/train``).

    Raises:
        DatasetError: If the archive cannot be read.
    """
    for archive in (path, *path.parents):
        if archive.suffix.lower() == ".zip" and archive.is_file():
            return ZippedFolder(archive, path.relative_to(archive).parts)
    return None


def zip_member(path: Path) -> ZipMember | None:
    """The file at a path that leads into a zip archive (``faces.zip/1.jpg``), there or not."""
    for archive in path.parents:
        if archive.suffix.lower() == ".zip" and archive.is_file():
            name = path.relative_to(archive).as_posix()
            try:
                known = _spelled(_opened(archive))
            except _BROKEN as error:
                raise _not_zip(archive, error) from None
            return ZipMember(archive, known.get("/".join(path_inside(name)), name))
    return None


@lru_cache(2)
def _spelled(archive: ZipFile) -> dict[str, str]:
    """The names of an archive's members as it spells them, by their plain paths."""
    return {"/".join(_parts(info)): info.filename for info in archive.infolist()}


def _not_zip(archive: Path, error: Exception) -> DatasetError:
    return DatasetError(
        f"{archive} cannot be read as a zip archive: {one_line(error)}; fetch it again"
    )


def path_inside(name: str) -> tuple[str, ...]:
    """The names of a member's folders and its own, as if it were extracted.

    >>> path_inside("../faces/./1.jpg"), path_inside("/faces/1.jpg")
    (('faces', '1.jpg'), ('faces', '1.jpg'))
    """
    names = composed(name.replace("\\", "/")).split("/")
    return tuple(name for name in names if name not in {"", ".", ".."})


def size_problem(size: int) -> str | None:
    """Why a member of so many bytes is not to be read; None where it may be."""
    return f"is too large to read safely ({size} bytes unpacked)" if size > MAX_BYTES else None


def _path(info: ZipInfo) -> str:
    """A member's name; Windows may have written it with backslashes."""
    return info.filename.replace("\\", "/")


def _parts(info: ZipInfo) -> tuple[str, ...]:
    return path_inside(info.filename)


def _info_problem(info: ZipInfo) -> str | None:
    """Why a member is not to be read, as its entry in the archive says."""
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted; unpack the archive with its password"
    if info.compress_type not in {ZIP_STORED, ZIP_DEFLATED}:  # others unpack without a limit
        return "is not compressed by deflate; pack the archive again"
    return size_problem(info.file_size)


def _opened(archive: Path) -> ZipFile:
    """The archive as it lies there now; opening one of 20,000 images takes a tenth of a second."""
    status = archive.stat()
    with _opening:
        return _open(archive, status.st_mtime_ns, status.st_size)


@lru_cache(2)
def _open(archive: Path, modified: int, size: int) -> ZipFile:
    return ZipFile(archive)


def _read(archive: ZipFile, info: ZipInfo, size: int) -> bytes:
    """The first bytes of a member, as many as ``size`` at most; several threads may read."""
    with _opening:
        file = cast(BinaryIO, archive.open(info))
    try:
        return file.read(size)
    finally:
        with _opening:
            file.close()
