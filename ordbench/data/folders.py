"""Folders of images, on the disk or inside a zip archive."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from ordbench.data.archives import zipped_folder
from ordbench.data.image_files import (
    FoundImage,
    cannot_read,
    header_problem,
    name_of,
    visible,
    walk,
)


class ImageFolder(Protocol):
    """A folder of images; what is hidden is left out, as `visible` says."""

    def subfolders(self, *below: str) -> list[str]:
        """Names of the folders in this one, or in the one that the names lead to, sorted.

        Raises:
            DatasetError: If the folder may not be read.
        """
        ...

    def files(self) -> list[FoundImage]:
        """Every file below it, to any depth, sorted by path.

        Raises:
            DatasetError: If a folder may not be read.
        """
        ...


class DiskFolder:
    """A folder on the disk, as an `ImageFolder`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def subfolders(self, *below: str) -> list[str]:
        """See `ImageFolder.subfolders`."""
        try:
            entries = sorted(self._path.joinpath(*below).iterdir())
        except OSError as error:
            raise cannot_read(error) from None
        return [path.name for path in entries if path.is_dir() and visible(path.name)]

    def files(self) -> list[FoundImage]:
        """See `ImageFolder.files`."""
        return [
            FoundImage(name_of(path, self._path), path, header_problem(path))
            for path in walk(self._path)
        ]


def image_folder(path: Path) -> ImageFolder | None:
    """The folder at a path, which may be a zip archive or lie inside one; None if there is none.

    Raises:
        DatasetError: If the archive cannot be read.
    """
    if path.is_dir():
        return DiskFolder(path)
    zipped = zipped_folder(path)
    return zipped if zipped and zipped.exists() else None
