"""Image files: what is one, what it holds, and its pixels as RGB; what is unusable is named.

Importing this loads neither PIL nor numpy; only `open_rgb` does.
"""

from __future__ import annotations

import logging
import os
import stat
import threading
import unicodedata
import warnings
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO, cast

from ordbench.errors import DatasetError
from ordbench.utils.files import file_sha256
from ordbench.utils.text import one_line

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

SUFFIXES = frozenset(
    f".{ending}"
    for kind in ("jpg jpeg jpe jfif", "png", "bmp", "gif", "webp", "tif tiff", "pgm ppm pnm")
    for ending in kind.split()
)

# A picture's longer side is at most so many times the shorter one: resizing makes the shorter one
# as long as the model wants, and a strip of 1 x 60,000 pixels would take gigabytes.
MAX_ASPECT = 100

logger = logging.getLogger(__name__)
_decoding = threading.local()  # the file that a thread decodes
_shown_by = [warnings.showwarning]

# Copies and thumbnails that macOS, Windows and Synology's NAS keep beside images.
_NOT_OURS = {"__MACOSX", "$RECYCLE.BIN", "@eaDir"}

_PORTABLE = tuple(b"P%d" % kind for kind in range(1, 7))
_STARTS = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"GIF8", b"II", b"MM", *_PORTABLE)


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
        f"{error.filename} cannot be read: {error.strerror}; mend its rights or take it away"
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
    "'.txt' is no ending of an image"
    """
    if path.is_dir():
        linked = path.is_symlink()
        return "a link to a folder that is listed elsewhere" if linked else "a folder, not a file"
    if path.suffix.lower() not in SUFFIXES:
        return f"{path.suffix!r} is no ending of an image"
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe would wait for a writer
            return "not a regular file"
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
        return file_sha256(path)
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from None


def open_rgb(path: Path) -> Image:
    """Decode one image whole, upright and as 8-bit RGB.

    The EXIF orientation is applied; transparency is laid on white; 12-bit and 16-bit values are
    scaled to 8 bits instead of clipped; of an animation the first frame is taken. A warning of the
    decoder is logged with the file's name.

    Raises:
        DatasetError: In one line, with the file's name, if it is missing, truncated, corrupt, no
            image, or so large or so long that decoding or resizing it may exhaust the memory; if
            its values have 32 bits, as nothing says which of them is white; or if it holds at most
            12 bits in 16, as it would be almost black.
    """
    import PIL.Image

    try:
        with _named_warnings(path), PIL.Image.open(path) as image:
            limit = PIL.Image.MAX_IMAGE_PIXELS
            if limit and image.width * image.height > limit:
                raise PIL.Image.DecompressionBombError
            if max(image.size) > MAX_ASPECT * min(image.size):
                raise DatasetError(
                    f"{path} has {image.width} x {image.height} pixels, a side more than "
                    f"{MAX_ASPECT} times the other; crop it"
                )
            coding = _coding(image, path)
            image.load()
            if coding.sixteen:
                _refuse_twelve_bits(image, path)
            return _rgb(_upright(image), coding)
    except (MemoryError, DatasetError):
        raise
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning):
        raise DatasetError(f"{path} is too large to decode safely; scale it down") from None
    except FileNotFoundError:
        raise DatasetError(f"{path} is not there") from None
    except Exception as error:  # decoders raise anything on a broken file
        why = one_line(error).replace(str(path), "it")
        raise DatasetError(f"{path} cannot be decoded ({why}); replace or remove it") from error


@contextmanager
def _named_warnings(path: Path) -> Generator[None]:
    """Log what the decoder warns of in this thread, with the name of the file."""
    if warnings.showwarning is not _show:
        _shown_by[0] = warnings.showwarning
        warnings.showwarning = _show
    _decoding.path = path
    try:
        yield
    finally:
        _decoding.path = None


def _show(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Takes the place of `warnings.showwarning`, which knows no file but the decoder's source."""
    path: Path | None = getattr(_decoding, "path", None)
    if path is None:
        _shown_by[0](message, category, filename, lineno, file, line)
    else:
        logger.warning("%s: %s", path, message)


def _upright(image: Image) -> Image:
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # broken EXIF does not make the pixels wrong
        return image


class _Coding(NamedTuple):
    """How the file stores a value: what white is, and whether Pillow leaves it inverted."""

    white: int
    inverted: bool
    sixteen: bool


def _coding(image: ImageFile, path: Path) -> _Coding:
    """Ask before loading: afterwards Pillow has forgotten it."""
    if image.mode == "F" or (image.mode == "I" and image.format not in {"PNG", "PPM"}):
        raise DatasetError(
            f"{path} has 32-bit or signed values, and nothing says which of them is white; save it "
            "with 8 bits, or with 16 bits without a sign"
        )
    arguments = image.tile[0][3] if image.tile else ""
    raw = str(arguments[0] if isinstance(arguments, tuple) else arguments)
    photometric = getattr(image, "tag_v2", {}).get(262)  # TIFF: 0 is white, 1 is black
    return _Coding(
        white=4095 if raw == "I;12" else 65535,
        inverted=photometric == 0 and image.mode.startswith("I"),
        sixteen=";16" in raw,
    )


def _refuse_twelve_bits(image: Image, path: Path) -> None:
    """Refuse 12-bit values in 16 bits: read as 16 bits they are almost black."""
    bands = image.split()[:3]  # without alpha
    top = max(cast("tuple[int, int]", band.getextrema())[1] for band in bands)
    if top < (4096 if image.mode.startswith("I") else 16):  # of colours, the high byte is loaded
        raise DatasetError(
            f"{path} stores 16-bit values, but none is above 4095, as in 12-bit data; "
            "scale them to 0..65535"
        )


def _rgb(image: Image, coding: _Coding) -> Image:
    import PIL.Image

    if image.mode.startswith("I"):
        import numpy

        grey = numpy.asarray(image).astype(numpy.int64).clip(0, coding.white)
        grey = coding.white - grey if coding.inverted else grey
        grey = (grey * 255 + coding.white // 2) // coding.white
        image = PIL.Image.fromarray(grey.astype(numpy.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = PIL.Image.new("RGBA", image.size, "white")
        image = PIL.Image.alpha_composite(white, image)
    return image.convert("RGB")
