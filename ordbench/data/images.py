"""Image files: what is one, what it holds, and its pixels as RGB; what is unusable is named.

Importing this loads neither PIL nor numpy; only `open_rgb` does.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ordbench.errors import DatasetError

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = frozenset(
    f".{ending}"
    for kind in ("jpg jpeg jpe jfif", "png", "bmp", "gif", "webp", "tif tiff", "pgm ppm pnm")
    for ending in kind.split()
)

_PORTABLE = tuple(b"P%d" % kind for kind in range(1, 7))
_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"GIF8", b"II", b"MM", *_PORTABLE)


def walk(folder: Path) -> list[Path]:
    """Every file below ``folder`` by its path, links followed, hidden files left out.

    Hidden is what starts with a dot, and the ``__MACOSX`` that macOS puts into archives.

    Raises:
        DatasetError: If a folder may not be read; its images would be missing without a word.
    """
    files: list[Path] = []
    seen: set[str] = set()
    for here, folders, names in os.walk(folder, onerror=_refuse, followlinks=True):
        real = os.path.realpath(here)
        if real in seen:  # a link back to a folder above
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in folders if visible(name)]
        files += [Path(here, name) for name in names if visible(name)]
    return sorted(files, key=lambda file: file.relative_to(folder).as_posix())


def _refuse(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise cannot_read(error) from None


def cannot_read(error: OSError) -> DatasetError:
    """What a user reads whose folder of images cannot be read."""
    return DatasetError(
        f"{error.filename} cannot be read: {error.strerror}; mend its rights or take it away"
    )


def visible(name: str) -> bool:
    """Whether a file or folder of that name is looked at.

    >>> visible("001A02.JPG"), visible("._001A02.JPG")
    (True, False)
    """
    return not name.startswith(".") and name != "__MACOSX"


def name_of(file: Path, folder: Path) -> str:
    r"""A file's path below ``folder`` with forward slashes; bytes that are no UTF-8 are spelled.

    >>> name_of(Path("faces/35/a.jpg"), Path("faces"))
    '35/a.jpg'
    """
    name = file.relative_to(folder).as_posix()
    return name.encode(errors="backslashreplace").decode()


def header_problem(path: Path) -> str | None:
    """Why a file is no image, judged by its name and first 12 bytes; None where it may be one.

    >>> header_problem(Path("notes.txt"))
    "'.txt' is no ending of an image"
    """
    if path.suffix.lower() not in SUFFIXES:
        return f"{path.suffix!r} is no ending of an image"
    try:
        with path.open("rb") as file:
            start = file.read(12)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if not start:
        return "empty file"
    webp = start.startswith(b"RIFF") and start[8:] == b"WEBP"
    return None if webp or start.startswith(_STARTS) else f"no image: it starts with {start[:8]!r}"


def content_hash(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal.

    Raises:
        DatasetError: If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from None


def open_rgb(path: Path) -> Image:
    """Decode one image whole, upright and as 8-bit RGB.

    The EXIF orientation is applied; transparency is laid on white; 16-bit grey is scaled by
    255/65535 instead of clipped; of an animation the first frame is taken.

    Raises:
        DatasetError: In one line, with the file's name, if it is missing, truncated, corrupt,
            no image, or so large that decoding it may exhaust the memory.
    """
    import PIL.Image

    try:
        with PIL.Image.open(path) as image:
            limit = PIL.Image.MAX_IMAGE_PIXELS
            if limit and image.width * image.height > limit:
                raise PIL.Image.DecompressionBombError
            image.load()
            return _rgb(_upright(image))
    except MemoryError:
        raise
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning):
        raise DatasetError(f"{path} is too large to decode safely; scale it down") from None
    except FileNotFoundError:
        raise DatasetError(f"{path} is not there") from None
    except Exception as error:  # decoders raise anything on a broken file
        why = " ".join(str(error).replace(str(path), "it").split()) or type(error).__name__
        raise DatasetError(f"{path} cannot be decoded ({why}); replace or remove it") from error


def _upright(image: Image) -> Image:
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # broken EXIF does not make the pixels wrong
        return image


def _rgb(image: Image) -> Image:
    import PIL.Image

    if image.mode.startswith("I"):
        import numpy

        grey = numpy.asarray(image).astype(numpy.int64).clip(0, 65535)
        image = PIL.Image.fromarray(((grey + 128) // 257).astype(numpy.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = PIL.Image.new("RGBA", image.size, "white")
        image = PIL.Image.alpha_composite(white, image)
    return image.convert("RGB")
