"""Files of images by name: found below a folder, named alike everywhere, told from other files.

Nothing here decodes an image.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from collections import deque
from pathlib import Path
from typing import NamedTuple

from ordbench.errors import DatasetError
from ordbench.utils.images import ImageSource

SUFFIXES = frozenset(
    f".{ending}"
    for kind in ("jpg jpeg jpe jfif", "png", "bmp", "gif", "webp", "tif tiff", "pgm ppm pnm")
    for ending in kind.split()
)

# Copies and thumbnails that macOS, Windows and Synology's NAS keep beside images.
_NOT_OURS = {"__MACOSX", "$RECYCLE.BIN", "@eaDir"}

_CONVERT = "HEIC and AVIF are not read; convert it to JPEG or PNG"
_PORTABLE = tuple(b"P%d" % kind for kind in range(1, 7))
_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"GIF8", b"II", b"MM", *_PORTABLE)


class FoundImage(NamedTuple):
    """A file in a folder.

    Attributes:
        name: Its path below the folder, as `name_of` gives it.
        image: Where it lies.
        problem: Why it is no image; None where it may be one.
    """

    name: str
    image: ImageSource
    problem: str | None


def walk(folder: Path) -> list[Path]:
    """Every file below ``folder`` by its path, hidden files left out.

    Links to folders elsewhere are followed. A link to a folder that is listed anyway, or that
    contains ``folder``, is listed as it is, so that `header_problem` can name it. Hidden is what
    starts with a dot, and what operating systems put beside images.

    Raises:
        DatasetError: If a folder may not be read; its images would be missing without a word.
    """
    files: list[Path] = []
    listed: set[str] = set()
    above = Path(os.path.realpath(folder)).parents
    tops = deque([folder])
    while tops:  # links come last: a folder belongs where it lies, not where a link shows it
        top = tops.popleft()
        if (real := os.path.realpath(top)) in listed or Path(real) in above:
            files.append(top)
            continue
        for here, folders, names in os.walk(top, onerror=_refuse):
            listed.add(os.path.realpath(here))
            folders[:] = sorted(name for name in folders if visible(name))
            tops += [path for name in folders if (path := Path(here, name)).is_symlink()]
            files += [Path(here, name) for name in names if visible(name)]
    return sorted(files, key=lambda file: file.relative_to(folder).as_posix())


def _refuse(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise cannot_read(error) from None


def cannot_read(error: OSError) -> DatasetError:
    """What a user reads whose folder of images cannot be read."""
    return DatasetError(
        f"{error.filename} cannot be read: {error.strerror}; change its permissions or move it away"
    )


def visible(name: str) -> bool:
    """Whether a file or folder of that name is looked at; a folder may be the rank ``.5``.

    >>> visible("001A02.JPG"), visible("._001A02.JPG"), visible(".5")
    (True, False, True)
    """
    hidden = name.startswith(".") and not name[1:].isdecimal()
    return not hidden and name not in _NOT_OURS


def name_of(file: Path, folder: Path) -> str:
    r"""A file's path below ``folder`` with forward slashes; bytes that are no UTF-8 are spelled.

    >>> name_of(Path("faces/35/a.jpg"), Path("faces"))
    '35/a.jpg'
    """
    return composed(file.relative_to(folder).as_posix())


def composed(name: str) -> str:
    r"""A name in Unicode's composed form (NFC); bytes that are no UTF-8 are spelled.

    macOS may write é as two characters and a CSV file as one; they are the same name.

    >>> composed("e\N{COMBINING ACUTE ACCENT}.jpg") == "\N{LATIN SMALL LETTER E WITH ACUTE}.jpg"
    True
    """
    return unicodedata.normalize("NFC", name.encode(errors="backslashreplace").decode())


def existing(path: Path) -> Path:
    """``path``, or what is there under the same name in another Unicode form."""
    if os.path.lexists(path) or (path.name.isascii() and path.parent.is_dir()):
        return path
    parent = existing(path.parent) if path.parent != path else path
    forms = [parent / unicodedata.normalize(form, path.name) for form in ("NFC", "NFD")]
    return next((form for form in forms if os.path.lexists(form)), path)


def header_problem(path: Path) -> str | None:
    """Why a file is no image, judged by its name and first 12 bytes; None where it may be one.

    >>> header_problem(Path("notes.txt"))
    "'.txt' is not the ending of an image file"
    """
    try:
        if path.is_dir():
            linked = path.is_symlink()
            return (
                "a link to a folder that is listed elsewhere" if linked else "a folder, not a file"
            )
        if problem := _ending_problem(path.name):
            return problem
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for a writer
            return "not a regular file"
        with path.open("rb") as file:
            start = file.read(12)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except ValueError:  # no file has a NUL character in its name
        return "not the name of a file"
    return bytes_problem(path.name, start)


def bytes_problem(name: str, start: bytes) -> str | None:
    """Why what is called ``name`` and begins with these 12 bytes is no image; None if it may be.

    >>> bytes_problem("a.png", b"I am a text."), bytes_problem("a.gif", b"GIF89a")
    ("not an image: it starts with b'I am a t'", None)
    """
    if problem := _ending_problem(name):
        return problem
    if not start:
        return "empty file"
    if start[4:8] == b"ftyp":
        return _CONVERT
    webp = start.startswith(b"RIFF") and start[8:] == b"WEBP"
    return (
        None if webp or start.startswith(_STARTS) else f"not an image: it starts with {start[:8]!r}"
    )


def has_image_name(name: str) -> bool:
    """Whether a file is called like an image, though perhaps one that is not read.

    >>> has_image_name("a.JPG"), has_image_name("a.heic"), has_image_name("notes.txt")
    (True, True, False)
    """
    return _ending_problem(name) in (None, _CONVERT)


def _ending_problem(name: str) -> str | None:
    suffix = Path(name).suffix
    if suffix.lower() in {".heic", ".heif", ".avif"}:
        return _CONVERT
    return None if suffix.lower() in SUFFIXES else f"{suffix!r} is not the ending of an image file"
