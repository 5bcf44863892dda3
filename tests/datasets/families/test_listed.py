from __future__ import annotations

from pathlib import Path

import pytest

from ordbench.errors import DatasetError
from ordbench_datasets.families.listed import Row, read_rows


def test_the_byte_order_mark_and_blanks_of_a_header_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("\ufeffimage, mean ,more\na.jpg, 3.5,x\n", encoding="utf-8")
    (row,) = read_rows(tmp_path / "a.csv", ["image", "mean"])
    assert row == ({"image": "a.jpg", "mean": "3.5"}, f"{tmp_path / 'a.csv'} line 2")
    assert row.number("mean") == 3.5


@pytest.mark.parametrize("text", ["", "old", "nan", "inf"])
def test_a_cell_that_is_no_number_is_named(text: str) -> None:
    with pytest.raises(DatasetError, match=r"a\.csv line 2, column mean: wanted a number, got"):
        Row({"mean": text}, "a.csv line 2").number("mean")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", r"a\.csv has no column 'image'; it has no line"),
        (b"image;mean\n", r"a\.csv has no column 'image'; it has image;mean"),
        (b"image,mean\na.jpg\n", r"a\.csv line 2: wanted the columns image, mean, got 1"),
        (b"image,mean\n\xff.jpg,1\n", r"a\.csv is not text in UTF-8"),
        (b'image,mean\n"a.jpg,1\n', r"a\.csv cannot be read: unexpected end of data"),
    ],
)
def test_a_list_that_cannot_be_read_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    with pytest.raises(DatasetError, match=message):
        read_rows(tmp_path / "a.csv", ["image", "mean"])


def test_a_folder_is_no_list(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read: Is a directory"):
        read_rows(tmp_path, ["image"])
