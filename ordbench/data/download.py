"""Download of a published zip archive: checked by its hash, unpacked all or nothing."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile

from ordbench.errors import DatasetError
from ordbench.utils.text import one_line


def fetch_zip(url: str, checksum: str, folder: Path, *, name: str, retries: int = 3) -> None:
    """Download a zip archive and unpack it into ``folder``.

    An archive that the user put there is used if its checksum is right. An interrupted download
    or extraction leaves nothing behind.

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
            f"{name}: the download from {url} does not match the published file ({checksum}); "
            "try again later, or check whether the file has moved"
        ) from None
    except OSError as error:  # those of the requests library are among them
        raise DatasetError(
            f"{name} cannot be downloaded from {url} ({_reason(error)}); "
            f"download it on another machine and put it at {archive}"
        ) from None
    unpack_zip(archive, folder)
    archive.unlink()


def _fetch(url: str, checksum: str, archive: Path, retries: int) -> None:
    pooch = import_module("pooch")  # slow to import; untyped

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
        """Close the response of a failed request, which pooch leaves open."""
        try:
            get(url, target, caller)
        except OSError as error:
            if (answer := getattr(error, "response", None)) is not None:
                answer.close()
            raise

    fetcher.fetch(archive.name, downloader=get_and_close)


def _reason(error: OSError) -> str:
    """The status line of a server, or why there was none."""
    text = str(error)
    if " for url" in text:
        return text.partition(" for url")[0]
    return "no answer in time" if "Timeout" in type(error).__name__ else "no connection"


def unpack_zip(archive: Path, folder: Path) -> None:
    """Unpack a zip archive into ``folder``, all of it or nothing.

    Raises:
        DatasetError: If a name in it is already taken, or if the archive is broken.
    """
    try:
        with ZipFile(archive) as members, TemporaryDirectory(dir=folder, prefix=".new-") as new:
            members.extractall(new)  # drops "..", drives and leading slashes; writes no links
            tops = [path for path in sorted(Path(new).iterdir()) if path.name != "__MACOSX"]
            for top in tops:
                if (folder / top.name).exists():
                    raise DatasetError(f"{folder / top.name} already exists; move it away first")
            for top in tops:
                top.rename(folder / top.name)
    except (BadZipFile, OSError) as error:
        raise DatasetError(
            f"{archive} cannot be unpacked ({one_line(error)}); make room, or remove it and "
            "download it again"
        ) from None
