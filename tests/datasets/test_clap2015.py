from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ordbench.errors import DatasetError
from ordbench_datasets.clap2015 import Clap2015

Put = Callable[[Path, Iterable[str]], Path]
Shared = Callable[[str], Path]
HEADER = "filename,age,stdv,database\n"


def test_the_deviation_of_the_raters_is_kept(tmp_path: Path, put: Put) -> None:
    put(tmp_path / "Train", ["image_4797.jpg"])
    put(tmp_path / "Test", ["image_1.jpg"])
    text = "image_4797.jpg,21,4.026539,train\nimage_1.jpg,85,0,test\nimage_2.jpg,2,1,val\n"
    (tmp_path / "total_2015.csv").write_text(HEADER + text)
    listing = Clap2015(tmp_path).read()
    assert [(s.name, s.rank, s.part, dict(s.extra)) for s in listing.samples] == [
        ("image_1.jpg", 82, "test", {"mean": 85.0, "stdv": 0.0}),
        ("image_4797.jpg", 18, "train", {"mean": 21.0, "stdv": 4.026539}),
    ]
    assert listing.rejected == (("image_2.jpg", "age 2 is not in 3..85"),)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("image_1.jpg,21,4,dev", "line 2, column database: wanted the part of .* got 'dev'"),
        ("image_1.jpg,,4,train", "line 2, column age: wanted a number, got ''"),
        ("image_1.jpg,21,nan,train", "line 2, column stdv: wanted a number, got 'nan'"),
    ],
)
def test_an_edited_list_is_named(tmp_path: Path, put: Put, row: str, message: str) -> None:
    put(tmp_path, ["image_1.jpg"])
    (tmp_path / "total_2015.csv").write_text(HEADER + row + "\n")
    with pytest.raises(DatasetError, match=message):
        Clap2015(tmp_path).read()
