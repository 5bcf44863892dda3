"""Fetching a published archive on request: checked by its hash, unpacked nowhere but its folder."""

from __future__ import annotations

import stat
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile

from ordbench.errors import DatasetError


def fetch_zip(url: str, checksum: str, folder: Path, *, name: str, retries: int = 3) -> None:
    """Download a zip archive and unpack it into ``folder``.

    An archive that lies there already, put by hand, is taken if its checksum is right. What was
    cut off leaves nothing behind that could be taken for the whole.

    Args:
        url: Where the archive is published.
        checksum: ``md5:...`` or ``sha256:...`` in hexadecimal.
        folder: Made where it is missing.
        name: What an error calls the dataset.
        retries: Attempts after the first one, 1, 2, 3 ... seconds apart.

    Raises:
        DatasetError: If it cannot be reached, is not the published file, or cannot be unpacked.
    """
    archive = folder / url.rpartition("/")[2]
    try:
        _fetch(url, checksum, archive, retries)
    except ValueError:
        raise DatasetError(
            f"{name}: what {url} sent is not the published file (wanted {checksum}); "
            "try again later, or look whether the source has moved"
        ) from None
    except OSError as error:  # those of the requests library are among them
        raise DatasetError(
            f"{name} cannot be downloaded from {url} ({_reason(error)}); "
            f"where there is a network, fetch it by hand and put it at {archive}"
        ) from None
    unpack_zip(archive, folder)
    archive.unlink()


def _fetch(url: str, checksum: str, archive: Path, retries: int) -> None:
    pooch = import_module("pooch")  # slow to load, needed by few runs, without type hints

    fetcher = pooch.create(
        path=archive.parent,
        base_url="",
        registry={archive.name: checksum},
        urls={archive.name: url},
        retry_if_failed=retries,
    )
    show = sys.stderr.isatty() and find_spec("tqdm") is not None
    get = pooch.HTTPDownloader(progressbar=show, timeout=60)

    def get_and_close(url: str, target: str, caller: object) -> None:
        """Close the answer of a server that refuses: pooch leaves it open."""
        try:
            get(url, target, caller)
        except OSError as error:
            if (answer := getattr(error, "response", None)) is not None:
                answer.close()
            raise

    fetcher.fetch(archive.name, downloader=get_and_close)


def _reason(error: OSError) -> str:
    """The status line of a server, or the kind of a failure to reach it."""
    text = str(error)
    return text.partition(" for url")[0] if " for url" in text else type(error).__name__


def unpack_zip(archive: Path, folder: Path) -> None:
    """Unpack all or nothing.

    Raises:
        DatasetError: If a member would lie outside ``folder`` or is a link, if something of its
            name is there already, or if the archive is broken.
    """
    try:
        with ZipFile(archive) as members, TemporaryDirectory(dir=folder, prefix=".new-") as new:
            for member in members.infolist():
                _check_member(archive, member.filename, member.external_attr >> 16)
            members.extractall(new)
            tops = [path for path in sorted(Path(new).iterdir()) if path.name != "__MACOSX"]
            for top in tops:
                if (folder / top.name).exists():
                    raise DatasetError(f"{folder / top.name} is there already; move it away first")
            for top in tops:
                top.rename(folder / top.name)
    except (BadZipFile, OSError) as error:
        raise DatasetError(f"{archive} cannot be unpacked: {error}") from None


def _check_member(archive: Path, name: str, mode: int) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    outside = path.is_absolute() or ".." in path.parts or ":" in name
    if outside or stat.S_ISLNK(mode):
        raise DatasetError(
            f"{archive} holds {name!r}, which would lie outside its folder; nothing was unpacked"
        )
