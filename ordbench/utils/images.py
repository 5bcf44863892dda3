"""The pixels of an image as RGB, wherever its bytes lie; what would be read wrongly is named.

Importing this loads neither PIL nor numpy; only `open_rgb` does.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import warnings
from collections.abc import Generator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, TextIO, TypeAlias, cast

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
_decoding = threading.local()  # the image that a thread decodes
_shown_by = [warnings.showwarning]


class ImageBytes(Protocol):
    """An image that is no file of its own: the member of an archive, the row of a table.

    ``str()`` of it names it, as a path names a file; no two images of a dataset have one name. It
    can be pickled.
    """

    def read(self) -> bytes:
        """What an image file would hold; called from several threads.

        Raises:
            DatasetError: If it is not there or cannot be read; the message begins with ``str()``.
        """
        ...


ImageSource: TypeAlias = Path | ImageBytes
"""Where the bytes of an image lie."""


def content_hash(source: ImageSource) -> str:
    """SHA-256 of an image's bytes, in hexadecimal.

    Raises:
        DatasetError: If they cannot be read.
    """
    if not isinstance(source, Path):
        return hashlib.sha256(_read(source)).hexdigest()
    try:
        return file_sha256(source)
    except FileNotFoundError:
        raise DatasetError(f"{source} is not there") from None
    except OSError as error:
        raise DatasetError(f"{source} cannot be read: {error.strerror}") from None


def _read(source: ImageBytes) -> bytes:
    try:
        return source.read()
    except (MemoryError, DatasetError):
        raise
    except Exception as error:  # a plug-in may raise anything
        raise DatasetError(f"{source} cannot be read: {one_line(error)}") from error


def open_rgb(source: ImageSource) -> Image:
    """Decode one image whole, upright and as 8-bit RGB.

    The EXIF orientation is applied; transparency is laid on white; 12-bit and 16-bit values are
    scaled to 8 bits instead of clipped; of an animation the first frame is taken. A warning of the
    decoder is logged with the image's name.

    Raises:
        DatasetError: In one line, with the image's name, if it is missing, truncated, corrupt, no
            image, wholly transparent, or so large or so long that decoding or resizing it may
            exhaust the memory; if its values have 32 bits or a sign, as nothing says which of them
            is white; or if it holds at most 12 bits in 16, as it would be almost black.
    """
    import PIL.Image

    file = source if isinstance(source, Path) else BytesIO(_read(source))
    try:
        with _named_warnings(source), PIL.Image.open(file) as image:
            limit = PIL.Image.MAX_IMAGE_PIXELS
            if limit and image.width * image.height > limit:
                raise PIL.Image.DecompressionBombError
            if max(image.size) > MAX_ASPECT * min(image.size):
                raise DatasetError(
                    f"{source} has {image.width} x {image.height} pixels, a side more than "
                    f"{MAX_ASPECT} times the other; crop it"
                )
            coding = _coding(image, source)
            image.load()
            if coding.sixteen:
                _refuse_twelve_bits(image, source)
            return _rgb(_upright(image), coding, source)
    except (MemoryError, DatasetError):
        raise
    except (PIL.Image.DecompressionBombError, PIL.Image.DecompressionBombWarning):
        raise DatasetError(f"{source} is too large to decode safely; scale it down") from None
    except FileNotFoundError:
        raise DatasetError(f"{source} is not there") from None
    except PIL.UnidentifiedImageError as error:
        raise DatasetError(
            f"{source} cannot be decoded (not an image, or of a format that Pillow does not know); "
            "replace or remove it"
        ) from error
    except Exception as error:  # decoders raise anything on a broken file
        said = error.strerror if isinstance(error, OSError) else None
        why = (said or one_line(error)).replace(str(source), "it").replace(str(file), "'it'")
        raise DatasetError(f"{source} cannot be decoded ({why}); replace or remove it") from error


@contextmanager
def _named_warnings(source: ImageSource) -> Generator[None]:
    """Log what the decoder warns of in this thread, with the name of the image."""
    if warnings.showwarning is not _show:
        _shown_by[0] = warnings.showwarning
        warnings.showwarning = _show
    _decoding.source = source
    try:
        yield
    finally:
        _decoding.source = None


def _show(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Takes the place of `warnings.showwarning`, which knows no file but the decoder's source."""
    source: ImageSource | None = getattr(_decoding, "source", None)
    if source is None:
        _shown_by[0](message, category, filename, lineno, file, line)
    else:
        logger.warning("%s: %s", source, message)


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


def _coding(image: ImageFile, source: ImageSource) -> _Coding:
    """Ask before loading: afterwards Pillow has forgotten it."""
    tags = getattr(image, "tag_v2", {})
    signed = 2 in tags.get(339, ())  # TIFF: the format of each sample
    if signed or image.mode == "F" or (image.mode == "I" and image.format not in {"PNG", "PPM"}):
        raise DatasetError(
            f"{source} has 32-bit or signed values, whose range is unknown; save it with 8 or 16 "
            "bits without a sign"
        )
    arguments = image.tile[0][3] if image.tile else ""
    raw = str(arguments[0] if isinstance(arguments, tuple) else arguments)
    photometric = tags.get(262)  # TIFF: 0 is white, 1 is black
    return _Coding(
        white=4095 if raw == "I;12" else 65535,
        inverted=photometric == 0 and image.mode.startswith("I"),
        sixteen=";16" in raw,
    )


def _refuse_twelve_bits(image: Image, source: ImageSource) -> None:
    """Refuse 12-bit values in 16 bits: read as 16 bits they are almost black."""
    bands = image.split()[:3]  # without alpha
    top = max(cast("tuple[int, int]", band.getextrema())[1] for band in bands)
    if top < (4096 if image.mode.startswith("I") else 16):  # of colours, the high byte is loaded
        raise DatasetError(
            f"{source} stores 16-bit values, but none is above 4095, as in 12-bit data; "
            "scale them to 0..65535"
        )


def _rgb(image: Image, coding: _Coding, source: ImageSource) -> Image:
    import PIL.Image

    if image.mode.startswith("I"):
        import numpy

        values, clear = numpy.asarray(image), image.info.get("transparency")
        grey = values.astype(numpy.int64).clip(0, coding.white)
        grey = coding.white - grey if coding.inverted else grey
        grey = (grey * 255 + coding.white // 2) // coding.white
        image = PIL.Image.fromarray(grey.astype(numpy.uint8))
        if clear is not None:  # PNG: the value that is transparent
            image.putalpha(PIL.Image.fromarray(255 * (values != clear).astype(numpy.uint8)))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema()[1] == 0:
            raise DatasetError(
                f"{source} is wholly transparent; save it without an alpha channel, or remove it"
            )
        white = PIL.Image.new("RGBA", image.size, "white")
        image = PIL.Image.alpha_composite(white, image)
    return image.convert("RGB")
