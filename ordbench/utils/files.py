"""Files that are either whole or not there, whoever is killed while writing them."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from contextlib import suppress
from errno import EEXIST, EISDIR, ELOOP, ENOTDIR, ENOTEMPTY, ESPIPE
from pathlib import Path
from secrets import token_hex

from ordbench.errors import StoreError

STALE_SECONDS = 3600.0
NOT_REGULAR = ESPIPE  # of errors about pipes and devices


def expanded(path: str | Path) -> Path:
    """A path as a user types it: ``~`` is the home folder, unless there is no such user.

    >>> expanded("~nobody-of-that-name/a.csv").as_posix()
    '~nobody-of-that-name/a.csv'
    """
    path = Path(path)
    with suppress(RuntimeError):
        return path.expanduser()
    return path


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file under a temporary name, flush it to the disk, and rename it into place.

    Readers see the old file or the new one. The temporary file stands in the same folder, begins
    with a dot and ends with ``.tmp``; it is removed if the write fails.

    Raises:
        StoreError: If the folder cannot be made or the file cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{token_hex(4)}.tmp")
    try:
        _make_folder(path.parent)
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise
        flush_folder(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error


def read_regular(path: Path) -> bytes:
    """The bytes of a file; opening a pipe would wait for a writer.

    Raises:
        OSError: If it cannot be read or is no regular file.
    """
    mode = path.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise OSError(NOT_REGULAR, "not a regular file", str(path))
    return path.read_bytes()


def file_sha256(path: Path) -> str:
    """SHA-256 of the bytes of a file, in hexadecimal.

    Raises:
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remove_stale(folder: Path, *, older_than: float = STALE_SECONDS) -> None:
    """Remove what killed writers left in ``folder``: temporary files older than so many seconds.

    A live writer's file is seconds old. Files that cannot be removed stay.
    """
    for temporary in folder.glob(".*.tmp"):
        with suppress(OSError):
            if time.time() - temporary.stat().st_mtime > older_than:
                temporary.unlink()


def cannot_write(path: Path, error: OSError) -> StoreError:
    """The one line that a user reads when a disk is full or a folder may not be written to."""
    return StoreError(f"cannot write {path}: {_why(error)}, make room, or choose another folder")


def cannot_read(path: Path, error: OSError) -> StoreError:
    """The one line that a user reads when a file or a folder may not be read."""
    return StoreError(f"cannot read {path}: {_why(error)}, or choose another folder")


# What is in the way, where it is no matter of rights.
_IN_THE_WAY = {
    EISDIR: "move the folder of that name away",
    ENOTEMPTY: "move the folder of that name away",
    ENOTDIR: "move the file that is where a folder should be",
    EEXIST: "move the file that is where a folder should be",
    ELOOP: "remove the link",
    NOT_REGULAR: "remove it",
}


def _why(error: OSError) -> str:
    """What went wrong, and the first thing to do about it."""
    advice = _IN_THE_WAY.get(error.errno or 0, "get the right to do so")
    return f"{error.strerror or error}; {advice}"


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        flush_folder(folder.parent)


def flush_folder(folder: Path) -> None:
    """Make a rename outlive a power cut; Windows has no such call and needs none."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
