from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ordbench.errors import DatasetError
from ordbench_datasets.aptos2019 import Aptos2019

Put = Callable[[Path, Iterable[str]], Path]


def test_photographs_of_the_hidden_test_are_left_out(tmp_path: Path, put: Put) -> None:
    put(tmp_path, ["train_images/000c1434d8d7.png", "train_images/0a.png", "test_images/0b.png"])
    text = "id_code,diagnosis\n000c1434d8d7,2\n0a,4\n0c,0\n"
    (tmp_path / "train.csv").write_text(text)
    (tmp_path / "test.csv").write_text("id_code\n0b\n")
    listing = Aptos2019(tmp_path).read()
    assert [(s.name, s.rank) for s in listing.samples] == [("000c1434d8d7", 2), ("0a", 4)]
    assert listing.rejected == (
        ("0c", "listed, but not below the root"),
        ("test_images/0b.png", "in no list"),
    )


@pytest.mark.parametrize("grade", ["5", "", "2.0", "no"])
def test_a_grade_that_is_none_is_named(tmp_path: Path, put: Put, grade: str) -> None:
    put(tmp_path, ["0a.png"])
    (tmp_path / "train.csv").write_text(f"id_code,diagnosis\n0a,{grade}\n")
    with pytest.raises(DatasetError, match=r"train\.csv line 2, column diagnosis: wanted a grade"):
        Aptos2019(tmp_path).read()
