"""The pixels of an image file as RGB; what would be read wrongly is named.

Importing this loads neither PIL nor numpy; only `open_rgb` does.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import warnings
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

# A picture's longer side is at most so many times the shorter one: resizing makes the shorter one
# as long as the model wants, and a strip of 1 x 60,000 pixels would take gigabytes.
MAX_ASPECT = 100

logger = logging.getLogger(__name__)
_decoding = threading.local()  # the file that a thread decodes
_shown_by = [warnings.showwarning]


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


def pixels_hash(image: Image) -> str:
    """SHA-256 of an image's size and pixels: the same for one picture in whatever files."""
    return hashlib.sha256(f"{image.size}".encode() + image.tobytes()).hexdigest()


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
