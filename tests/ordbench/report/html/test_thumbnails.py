"""Small images inside the page."""

from base64 import b64decode
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from ordbench.report.html.thumbnails import SIZE, ImagePlaces, thumbnails
from ordbench.runs.spec import RunSpec


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for rank in ("1", "2"):
        (tmp_path / rank).mkdir()
        for number in range(3):
            size = (400, 300 + number)
            Image.new("RGB", size, (200, 20, 20 * number)).save(tmp_path / rank / f"{number}.png")
    (tmp_path / "2" / "0.png").write_bytes(b"torn")
    return tmp_path


def test_images_are_small_jpegs_and_broken_ones_are_left_out(photos: Path) -> None:
    spec = RunSpec(head="linear", dataset="folder", dataset_argument=str(photos))
    found = thumbnails(["1/0.png", "2/0.png", "2/1.png", "gone.png"], spec, ImagePlaces())
    assert [*found] == ["1/0.png", "2/1.png"]
    kind, _, content = found["1/0.png"].partition(",")
    assert kind == "data:image/jpeg;base64"
    image = Image.open(BytesIO(b64decode(content)))
    assert image.format == "JPEG"
    assert max(image.size) == SIZE
    red, green, _ = image.convert("RGB").resize((1, 1)).getpixel((0, 0))  # type: ignore[misc]
    assert red > 180 > green


def test_the_images_are_those_of_the_dataset_that_was_tested(photos: Path) -> None:
    spec = RunSpec(head="linear", dataset="csv:a.csv", test_dataset=f"folder:{photos}")
    assert [*thumbnails(["1/2.png"], spec, ImagePlaces())] == ["1/2.png"]


def test_a_dataset_that_is_not_here_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    spec = RunSpec(head="linear", dataset="fgnet")
    assert thumbnails(["a.png"], spec, ImagePlaces(data_root=tmp_path)) == {}
    assert "no images of fgnet" in caplog.text
