from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ordbench.errors import DatasetError
from ordbench.splits.draw import draw
from ordbench_datasets.bus_bra import BusBra

Put = Callable[[Path, Iterable[str]], Path]
IMAGES = ["bus_0001-l", "bus_0001-r", "bus_0002-l", "bus_0003-s"]
CASES = ["1", "1", "2", "3"]


def release(root: Path, put: Put, categories: list[str], folds: list[str]) -> Path:
    """Write images, masks and lists as they are distributed."""
    put(root / "BUSBRA" / "Images", [f"{name}.png" for name in IMAGES])
    put(root / "BUSBRA" / "Masks", [f"mask_{name[4:]}.png" for name in IMAGES])
    rows = zip(IMAGES, CASES, categories, strict=True)
    data = [f"{name},{case},Cyst,benign,{category},GE,left\n" for name, case, category in rows]
    header = "ID,Case,Histology,Pathology,BIRADS,Device,Side\n"
    (root / "BUSBRA" / "bus_data.csv").write_text(header + "".join(data))
    for count in (5, 10):
        lines = [f"{name},{fold}\n" for name, fold in zip(IMAGES, folds, strict=False)]
        (root / "BUSBRA" / f"{count}-fold-cv.csv").write_text("ID,kFold\n" + "".join(lines))
    return root


def test_categories_cases_and_folds_are_read(tmp_path: Path, put: Put) -> None:
    release(tmp_path, put, ["4", "5", "2", "3"], ["1", "1", "5", "2"])
    listing = BusBra(tmp_path).read()
    assert [(s.name, s.rank, s.group, s.fold) for s in listing.samples] == [
        ("bus_0001-l", 2, "1", 0),
        ("bus_0001-r", 3, "1", 0),
        ("bus_0002-l", 0, "2", 4),
        ("bus_0003-s", 1, "3", 1),
    ]
    assert listing.rejected == (), "masks lie beside the images"
    assert listing.task.rank_names == ("2", "3", "4", "5")
    split = draw(listing, dataset="bus-bra", protocol="standard", fold=0, shots=1, data_seed=0)
    assert split.test == ("bus_0001-l", "bus_0001-r")


def test_ten_folds_are_another_division(tmp_path: Path, put: Put) -> None:
    release(tmp_path, put, ["4", "5", "2", "3"], ["10", "10", "1"])
    listing = BusBra(tmp_path, folds="10").read()
    assert [s.fold for s in listing.samples] == [9, 9, 0]
    assert listing.rejected == (("bus_0003-s", "in no official fold"),)
    with pytest.raises(DatasetError, match=r"5-fold-cv\.csv line 2, column kFold: wanted a fold"):
        BusBra(tmp_path).read()


@pytest.mark.parametrize("category", ["0", "6", "4A", ""])
def test_another_category_is_named(tmp_path: Path, put: Put, category: str) -> None:
    release(tmp_path, put, ["4", "5", category, "3"], ["1", "1", "5", "2"])
    with pytest.raises(DatasetError, match=r"line 4, column BIRADS: wanted a category of 2 to 5"):
        BusBra(tmp_path).read()


def test_lists_of_other_columns_say_what_is_expected(tmp_path: Path, put: Put) -> None:
    release(tmp_path, put, ["4", "5", "2", "3"], ["1", "1", "5", "2"])
    (tmp_path / "BUSBRA" / "5-fold-cv.csv").write_text("image,fold\nbus_0001-l,1\n")
    with pytest.raises(DatasetError, match="has no column 'ID'; it has image, fold"):
        BusBra(tmp_path).read()
    (tmp_path / "BUSBRA" / "5-fold-cv.csv").unlink()
    with pytest.raises(DatasetError, match=r"5-fold-cv\.csv or 10-fold-cv\.csv \(columns ID and"):
        BusBra(tmp_path).read()


def test_an_image_is_in_one_fold_and_of_a_case(tmp_path: Path, put: Put) -> None:
    root = release(tmp_path, put, ["4", "5", "2", "3"], ["1", "1", "5", "2"]) / "BUSBRA"
    data = (root / "bus_data.csv").read_text()
    (root / "bus_data.csv").write_text(data.replace("bus_0003-s,3,", "bus_0003-s,,"))
    assert BusBra(tmp_path).read().rejected == (("bus_0003-s", "of no case"),)
    with (root / "5-fold-cv.csv").open("a") as lines:
        lines.write("bus_0001-l,2\n")
    with pytest.raises(DatasetError, match=r"line 6: bus_0001-l is in another fold, too"):
        BusBra(tmp_path).read()
