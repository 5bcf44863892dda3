"""Download of published files: resumed, checked by their hash, unpacked all or nothing."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import time
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from lzma import LZMAError
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile, ZipFile

from ordbench.errors import DatasetError
from ordbench.utils.files import cannot_write
from ordbench.utils.text import one_line

if TYPE_CHECKING:
    import requests

_CHUNK = 2**16
_TIMEOUT = 60.0  # seconds without a byte
_NOTHING_LEFT = 416  # the answer to a range that begins at the end of the file
_TRY_AGAIN = {408, 429}  # and every fault of the server, from 500 on
_BROKEN = (BadZipFile, tarfile.TarError, OSError, EOFError, zlib.error, LZMAError)


def fetch_archive(url: str, checksum: str, folder: Path, *, name: str, retries: int = 3) -> None:
    """Download a zip or tar archive and unpack it into ``folder``.

    Args:
        url: Where the archive is published.
        checksum: As for `fetch_file`.
        folder: Made where it is missing.
        name: What an error calls the dataset.
        retries: As for `fetch_file`.

    Raises:
        DatasetError: If it cannot be reached, is not the published file, or cannot be unpacked.
    """
    archive = folder / url.rpartition("/")[2]
    fetch_file(url, checksum, archive, name=name, retries=retries)
    unpack(archive, folder)
    archive.unlink()


def fetch_file(url: str, checksum: str, file: Path, *, name: str, retries: int = 3) -> None:
    """Download one published file, unless it is there already.

    What has arrived stands beside it in a hidden ``.part`` file. It is kept when the download
    breaks off, and the next attempt asks for the rest, if the server can send it.

    Args:
        url: Where it is published.
        checksum: ``md5:...`` or ``sha256:...`` in hexadecimal.
        file: Where to put it; its folder is made. What is there is used if its checksum is right.
        name: What an error calls the dataset.
        retries: Attempts after the first one, 1, 2, 3 ... seconds apart.

    Raises:
        DatasetError: If it cannot be reached, or is not the published file.
        StoreError: If it cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not _matches(file, checksum):
            _fetch(url, checksum, file, name, retries)
    except OSError as error:
        raise cannot_write(file, error) from None


def _fetch(url: str, checksum: str, file: Path, name: str, retries: int) -> None:
    import requests  # slow to import

    part = file.with_name(f".{file.name}.part")
    begun_before = part.exists()
    try:
        _finish(url, part, retries)
    except requests.RequestException as error:
        kept = "what has arrived is kept, so run it again to go on, or " if part.exists() else ""
        raise DatasetError(
            f"{name} cannot be downloaded from {url} ({_reason(error)}); {kept}"
            f"download it on another machine and put it at {file}"
        ) from None
    if _matches(part, checksum):
        os.replace(part, file)
        return
    part.unlink()
    if begun_before:  # of another version of the file, perhaps
        _fetch(url, checksum, file, name, retries)
        return
    raise DatasetError(
        f"{name}: the download from {url} does not match the published file ({checksum}); "
        "try again later, or check whether the file has moved"
    )


def _finish(url: str, part: Path, retries: int) -> None:
    """Fetch what is missing of a file, in several attempts."""
    import requests

    for attempt in range(retries + 1):
        try:
            _append(url, part)
            return
        except requests.RequestException as error:
            status = 500 if error.response is None else error.response.status_code
            if attempt == retries or (status < 500 and status not in _TRY_AGAIN):
                raise
        time.sleep(attempt + 1)


def _append(url: str, part: Path) -> None:
    """Fetch what is missing of a file, or all of it where the server sends no ranges."""
    import requests
    from tqdm import tqdm

    there = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={there}-"} if there else {})
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as answer:
        if there and answer.status_code == _NOTHING_LEFT:
            return
        answer.raise_for_status()
        there = there if answer.status_code == requests.codes.partial_content else 0
        length = answer.headers.get("Content-Length", "")
        bar = tqdm(
            desc=url.rpartition("/")[2],
            initial=there,
            total=there + int(length) if length.isdecimal() else None,
            unit="B",
            unit_scale=True,
            disable=None,  # where standard error is no terminal
        )
        with part.open("ab" if there else "wb") as file, bar:
            for chunk in answer.iter_content(_CHUNK):
                bar.update(file.write(chunk))
            file.flush()
            os.fsync(file.fileno())


def _matches(file: Path, checksum: str) -> bool:
    kind, _, wanted = checksum.partition(":")
    if not file.is_file():
        return False
    with file.open("rb") as content:
        return hashlib.file_digest(content, kind).hexdigest() == wanted


def _reason(error: requests.RequestException) -> str:
    """The status line of a server, or why there was none."""
    text = str(error)
    if " for url" in text:
        return text.partition(" for url")[0]
    if "Timeout" in type(error).__name__:
        return "no answer in time"
    if "Redirects" in type(error).__name__:
        return "it leads from one address to another without end"
    return "the connection broke off" if "Chunked" in type(error).__name__ else "no connection"


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip or tar archive into ``folder``, all of it or nothing.

    Raises:
        DatasetError: If a name in it is already taken or lies outside, or if it is broken.
    """
    try:
        with _new_folder(folder / ".unpacking") as new:
            _extract(archive, new)
            tops = [path for path in sorted(new.iterdir()) if path.name != "__MACOSX"]
            for top in tops:
                if (folder / top.name).exists():
                    raise DatasetError(f"{folder / top.name} already exists; move it away first")
            for top in tops:
                top.rename(folder / top.name)
    except _BROKEN as error:
        raise DatasetError(
            f"{archive} cannot be unpacked ({one_line(error)}); make room, or remove it and "
            "download it again"
        ) from None


def _extract(archive: Path, new: Path) -> None:
    if tarfile.is_tarfile(archive):
        with tarfile.open(archive) as members:
            members.extractall(new, filter="data")  # refuses what would lie outside, and devices
    else:
        with ZipFile(archive) as zipped:
            zipped.extractall(new)  # drops "..", drives and leading slashes; writes no links


@contextmanager
def _new_folder(path: Path) -> Generator[Path]:
    """An empty folder that is removed afterwards, as is one that a killed process has left."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
