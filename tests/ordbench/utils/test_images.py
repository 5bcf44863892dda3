from __future__ import annotations

import hashlib
import struct
import subprocess
import sys
import warnings
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from ordbench.errors import DatasetError
from ordbench.utils.images import ImageSource, content_hash, open_rgb, pixels_hash

RED = (255, 0, 0)


def saved(image: PIL.Image.Image, path: Path) -> Path:
    image.save(path)
    return path


def noise(size: tuple[int, int] = (64, 64)) -> PIL.Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    return PIL.Image.fromarray(pixels)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "CMYK", "L", "LA", "1"])
def test_every_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    file = tmp_path / ("image.jpg" if mode == "CMYK" else "image.png")
    image = open_rgb(saved(PIL.Image.new("RGB", (4, 4), "white").convert(mode), file))
    assert image.mode == "RGB"
    assert image.getpixel((2, 2)) == (255, 255, 255)


def test_sixteen_bits_are_scaled_and_not_clipped(tmp_path: Path) -> None:
    grey = PIL.Image.fromarray(np.array([[0, 257, 128 * 257, 65535]], dtype=np.uint16))
    image = open_rgb(saved(grey, tmp_path / "grey.png"))
    assert [image.getpixel((x, 0)) for x in range(4)] == [(v, v, v) for v in (0, 1, 128, 255)]


def tiff(bits: int, photometric: int, data: bytes, width: int, kind: int = 1) -> bytes:
    """An uncompressed grey TIFF of one row; Pillow writes no 12-bit, inverted or signed ones."""
    short, long = 3, 4
    tags = [(256, short, width), (257, short, 1), (258, short, bits), (259, short, 1)]
    tags += [(262, short, photometric), (273, long, 8), (277, short, 1), (278, short, 1)]
    tags += [(279, long, len(data)), (339, short, kind)]
    padded = data + b"\0" * (len(data) % 2)
    entries = b"".join(struct.pack("<HHII", tag, size, 1, value) for tag, size, value in tags)
    start = b"II*\0" + struct.pack("<I", 8 + len(padded)) + padded
    return start + struct.pack("<H", len(tags)) + entries + b"\0" * 4


def png16(colour: int, values: Sequence[int]) -> bytes:
    """A PNG of one pixel with 16-bit values, which Pillow does not write in colour."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        crc = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + crc

    header = struct.pack(">IIBBBBB", 1, 1, 16, colour, 0, 0, 0)
    pixel = zlib.compress(b"\0" + struct.pack(f">{len(values)}H", *values))
    chunks = chunk(b"IHDR", header), chunk(b"IDAT", pixel), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


RAMP = struct.pack("<3H", 0, 32896, 65535)


@pytest.mark.parametrize(
    ("content", "grey"),
    [
        (tiff(16, 1, RAMP, 3), [0, 128, 255]),
        (tiff(16, 0, RAMP, 3), [255, 127, 0]),  # white is zero
        (tiff(12, 1, bytes([0, 0x08, 0x08, 0xFF, 0xF0]), 3), [0, 128, 255]),
        (b"P5 3 1 4095\n" + struct.pack(">3H", 0, 2056, 4095), [0, 128, 255]),
        (b"P2 3 1 4095\n0 200 400", [0, 12, 25]),  # dark, and the file says so
    ],
    ids=["16 bits", "16 bits, inverted", "12 bits", "PGM of 12 bits", "dark PGM"],
)
def test_the_depth_that_a_file_states_is_scaled(
    tmp_path: Path, content: bytes, grey: list[int]
) -> None:
    file = tmp_path / ("a.pgm" if content.startswith(b"P") else "a.tif")
    file.write_bytes(content)
    image = open_rgb(file)
    assert [image.getpixel((x, 0)) for x in range(3)] == [(v, v, v) for v in grey]


@pytest.mark.parametrize(
    "content",
    [
        png16(0, [4095]),
        png16(2, [4095, 0, 0]),
        png16(4, [4095, 65535]),
        png16(6, [0, 4095, 0, 65535]),
        tiff(16, 1, struct.pack("<3H", 0, 5, 255), 3),
    ],
    ids=["grey", "RGB", "grey with alpha", "RGBA", "TIFF"],
)
def test_12_bit_values_in_16_bits_are_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / ("a.png" if content.startswith(b"\x89") else "a.tif")
    file.write_bytes(content)
    with pytest.raises(DatasetError, match=r"a\.\w+ stores 16-bit values, but none is above 4095"):
        open_rgb(file)


def test_16_bit_colours_are_scaled(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png16(2, [65535, 4096, 0]))
    assert open_rgb(tmp_path / "a.png").getpixel((0, 0)) == (255, 16, 0)


@pytest.mark.parametrize("kind", ["f4", "i4"])
def test_32_bit_values_are_named(tmp_path: Path, kind: str) -> None:
    ramp = PIL.Image.fromarray(np.linspace(0, 255, 12).reshape(3, 4).astype(kind))
    with pytest.raises(DatasetError, match=r"a\.tif has 32-bit or signed values"):
        open_rgb(saved(ramp, tmp_path / "a.tif"))


@pytest.mark.parametrize(("bits", "values"), [(8, "<3b"), (16, "<3h")])
def test_signed_values_are_named(tmp_path: Path, bits: int, values: str) -> None:
    (tmp_path / "a.tif").write_bytes(tiff(bits, 1, struct.pack(values, -5, 0, 5), 3, kind=2))
    with pytest.raises(DatasetError, match=r"a\.tif has 32-bit or signed values"):
        open_rgb(tmp_path / "a.tif")


@pytest.mark.parametrize("size", [(1, 101), (60000, 1)])
def test_a_strip_that_would_explode_when_resized_is_named(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    file = saved(PIL.Image.new("L", size), tmp_path / "strip.png")
    with pytest.raises(DatasetError, match=rf"strip\.png has {size[0]} x {size[1]} pixels"):
        open_rgb(file)
    assert open_rgb(saved(PIL.Image.new("L", (1, 100)), tmp_path / "a.png")).size == (1, 100)


def test_what_is_transparent_lies_on_white(tmp_path: Path) -> None:
    image = PIL.Image.new("RGBA", (2, 1), (255, 0, 0, 0))
    image.putpixel((1, 0), (255, 0, 0, 255))
    opened = open_rgb(saved(image, tmp_path / "half.png"))
    assert [opened.getpixel((x, 0)) for x in (0, 1)] == [(255, 255, 255), RED]


def test_a_transparent_16_bit_value_lies_on_white(tmp_path: Path) -> None:
    grey = PIL.Image.fromarray(np.array([[0, 60000]], dtype=np.uint16))
    grey.save(tmp_path / "grey.png", transparency=0)
    assert np.asarray(open_rgb(tmp_path / "grey.png"))[0, :, 0].tolist() == [255, 233]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_a_wholly_transparent_picture_is_named(tmp_path: Path, mode: str) -> None:
    clear = PIL.Image.new(mode, (2, 2))
    with pytest.raises(DatasetError, match=r"a\.png is wholly transparent; save it without an"):
        open_rgb(saved(clear, tmp_path / "a.png"))


def test_a_transparent_palette_lies_on_white(tmp_path: Path) -> None:
    image = PIL.Image.new("P", (2, 1))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)
    image.save(tmp_path / "p.png", transparency=b"\xff\x00")
    opened = open_rgb(tmp_path / "p.png")
    assert [opened.getpixel((x, 0)) for x in (0, 1)] == [RED, (255, 255, 255)]


def test_a_turned_photograph_is_set_upright(tmp_path: Path) -> None:
    image = PIL.Image.new("RGB", (2, 1), "blue")
    image.putpixel((0, 0), RED)
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # the first pixel belongs at the top right
    image.save(tmp_path / "turned.png", exif=exif)
    upright = open_rgb(tmp_path / "turned.png")
    assert upright.size == (1, 2)
    assert upright.getpixel((0, 0)) == RED


@pytest.mark.filterwarnings("default:Corrupt EXIF data")
def test_broken_exif_does_not_cost_the_image_and_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    noise().save(tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x05\x01\x12\0\x03")
    assert open_rgb(tmp_path / "a.jpg").size == (64, 64)
    assert {line.partition(" Exp")[0] for line in caplog.messages} == {
        f"{tmp_path / 'a.jpg'}: Corrupt EXIF data. "
    }
    with pytest.warns(UserWarning, match="of others"):
        warnings.warn("of others", UserWarning, stacklevel=1)


def test_of_an_animation_the_first_frame_is_taken(tmp_path: Path) -> None:
    frames = [PIL.Image.new("RGB", (2, 2), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert open_rgb(tmp_path / "a.gif").getpixel((0, 0)) == RED


def broken_files(folder: Path) -> dict[str, Path]:
    whole = saved(noise(), folder / "whole.jpg").read_bytes()
    contents = {
        "truncated": whole[: len(whole) // 2],
        "header only": whole[:20],
        "text": b"I am a text, not an image.",
        "empty": b"",
    }
    files = {name: folder / f"{name}.jpg" for name in contents}
    for name, file in files.items():
        file.write_bytes(contents[name])
    return files


@pytest.mark.parametrize("kind", ["truncated", "header only", "text", "empty"])
def test_a_broken_file_is_one_line_with_its_name(tmp_path: Path, kind: str) -> None:
    file = broken_files(tmp_path)[kind]
    why = "image file is truncated" if kind == "truncated" else "not an image, or of a format"
    with pytest.raises(DatasetError, match=rf"cannot be decoded \({why}") as caught:
        open_rgb(file)
    assert str(caught.value).count(file.name) == 1
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for read in (open_rgb, content_hash):
        with pytest.raises(DatasetError, match=r"gone\.jpg"):
            read(tmp_path / "gone.jpg")


@pytest.mark.parametrize("limit", [4095, 1000], ids=["warned of by PIL", "refused by PIL"])
def test_a_decompression_bomb_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    file = saved(noise(), tmp_path / "bomb.png")
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", limit)
    with pytest.raises(DatasetError, match=r"bomb\.png is too large to decode safely"):
        open_rgb(file)


class InMemory:
    """An image that is no file, with the name of one."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __str__(self) -> str:
        return f"memory/{self.file.name}"

    def read(self) -> bytes:
        return self.file.read_bytes()


def outcome(source: ImageSource) -> str:
    """The pixels' hash, or why there is none, without the image's name."""
    try:
        return pixels_hash(open_rgb(source))
    except DatasetError as error:
        name, reason = str(error)[: len(f"{source} ")], str(error)[len(f"{source} ") :]
        return reason if name == f"{source} " else f"not named: {error}"


def test_every_guard_holds_for_bytes_that_are_no_file(tmp_path: Path) -> None:
    """The words of an error are those of a file, as they are cached under the content."""
    contents = {
        "12_bits.png": png16(0, [4095]),
        "signed.tif": tiff(16, 1, struct.pack("<3h", -5, 0, 5), 3, kind=2),
        "16_bits.tif": tiff(16, 1, RAMP, 3),
        "no_header.gif": b"GIF8",
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    saved(PIL.Image.new("L", (1, 101)), tmp_path / "strip.png")
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    noise((3, 2)).save(tmp_path / "turned.png", exif=exif)
    broken_files(tmp_path)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 11
    for file in files:
        assert outcome(InMemory(file)) == outcome(file), file.name
        assert content_hash(InMemory(file)) == content_hash(file)
    outcomes = [outcome(file) for file in files]
    assert sum(len(said) == 64 for said in outcomes) == 3, "16 bits, turned and whole"
    assert not any(said.startswith("not named") for said in outcomes)
    assert not any("0x" in said for said in outcomes), "an address differs at each run"


def test_a_bomb_in_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = InMemory(saved(noise(), tmp_path / "bomb.png"))
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(DatasetError, match=r"^memory/bomb\.png is too large to decode safely"):
        open_rgb(bomb)


def test_whatever_a_source_raises_is_one_line_with_its_name(tmp_path: Path) -> None:
    gone = InMemory(tmp_path / "gone.png")
    for read in (open_rgb, content_hash):
        with pytest.raises(DatasetError, match=r"^memory/gone\.png cannot be read: No such file"):
            read(gone)


def test_the_content_hash_is_sha256_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"abc")
    assert content_hash(tmp_path / "a.jpg") == hashlib.sha256(b"abc").hexdigest()


def test_importing_it_loads_neither_pil_nor_numpy() -> None:
    code = (
        "import ordbench.utils.images, sys; assert not {'PIL', 'numpy', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
