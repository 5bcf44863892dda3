from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from ordbench.data.images import content_hash, header_problem, name_of, open_rgb, walk
from ordbench.errors import DatasetError

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


def test_what_is_transparent_lies_on_white(tmp_path: Path) -> None:
    image = PIL.Image.new("RGBA", (2, 1), (255, 0, 0, 0))
    image.putpixel((1, 0), (255, 0, 0, 255))
    opened = open_rgb(saved(image, tmp_path / "half.png"))
    assert [opened.getpixel((x, 0)) for x in (0, 1)] == [(255, 255, 255), RED]


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


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_broken_exif_does_not_cost_the_image(tmp_path: Path) -> None:
    noise().save(tmp_path / "a.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\x05\x01\x12\0\x03")
    assert open_rgb(tmp_path / "a.jpg").size == (64, 64)


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
    with pytest.raises(DatasetError, match="cannot be decoded") as caught:
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


def test_the_content_hash_is_sha256_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"abc")
    assert content_hash(tmp_path / "a.jpg") == hashlib.sha256(b"abc").hexdigest()


@pytest.mark.parametrize("ending", ["jpg", "png", "bmp", "gif", "webp", "tiff", "ppm"])
def test_the_header_of_every_kind_passes(tmp_path: Path, ending: str) -> None:
    assert header_problem(saved(noise(), tmp_path / f"image.{ending}")) is None


def test_the_header_tells_what_is_no_image(tmp_path: Path) -> None:
    files = broken_files(tmp_path)
    assert header_problem(files["empty"]) == "empty file"
    assert header_problem(files["text"]) == "no image: it starts with b'I am a t'"
    assert header_problem(tmp_path / "gone.png") == "cannot be read: No such file or directory"
    (tmp_path / "sound.webp").write_bytes(b"RIFF\0\0\0\0WAVEfmt ")
    assert str(header_problem(tmp_path / "sound.webp")).startswith("no image")


def test_files_are_walked_in_one_order_and_hidden_ones_left_out(tmp_path: Path) -> None:
    names = ["b/2.jpg", "b.jpg", "a/1.jpg", ".git/x.jpg", "__MACOSX/._1.jpg", "a/.DS_Store"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    elsewhere = tmp_path / "a" / "link"
    elsewhere.symlink_to(tmp_path / "b")
    found = [name_of(file, tmp_path) for file in walk(tmp_path)]
    assert found == sorted(found)
    assert {name.rpartition("/")[2] for name in found} == {"1.jpg", "2.jpg", "b.jpg"}
    assert len(found) == 3


def test_a_folder_that_cannot_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "1" / "deep"
    closed.mkdir(parents=True)
    scandir = os.scandir

    def refusing(path: str) -> object:  # root may read whatever its mode says
        if Path(path) == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)
    with pytest.raises(DatasetError, match="deep cannot be read: Permission denied; mend its"):
        walk(tmp_path)


def test_a_name_that_is_no_utf8_is_spelled() -> None:
    assert name_of(Path("faces/m\udcfcller.jpg"), Path("faces")) == "m\\udcfcller.jpg"


def test_importing_it_loads_neither_pil_nor_numpy() -> None:
    code = (
        "import ordbench.data.images, sys; assert not {'PIL', 'numpy', 'torch'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
