from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ordbench.errors import DatasetError
from ordbench_datasets.clap2016 import Clap2016
from ordbench_datasets.families.apparent import FOLDERS

Put = Callable[[Path, Iterable[str]], Path]
Shared = Callable[[str], Path]
HEADER = "image,mean,stdv\n"


def listed(root: Path, rows: dict[str, str]) -> Path:
    for folder in FOLDERS.values():
        (root / f"{folder}_gt.csv").write_text(HEADER + rows.get(folder, ""))
    return root


def test_ranks_are_the_nearest_years_and_parts_are_folders(tmp_path: Path, put: Put) -> None:
    put(tmp_path / "CLAP2016", ["train/1.jpg", "valid/1.jpg", "test/1.jpg"])
    rows = {"train": "1.jpg,20.5,3.2\n", "valid": "1.jpg,21.5,0\n", "test": "1.jpg,96.4,9\n"}
    listing = Clap2016(listed(tmp_path, rows)).read()
    assert [(s.name, s.rank, s.part, dict(s.extra)) for s in listing.samples] == [
        ("test/1.jpg", 95, "test", {"mean": 96.4, "stdv": 9.0}),
        ("train/1.jpg", 19, "train", {"mean": 20.5, "stdv": 3.2}),
        ("valid/1.jpg", 21, "val", {"mean": 21.5, "stdv": 0.0}),
    ]
    assert listing.rejected == ()


def test_a_missing_list_is_named(tmp_path: Path, put: Put) -> None:
    put(listed(tmp_path, {}), ["train/1.jpg"])
    (tmp_path / "test_gt.csv").unlink()
    with pytest.raises(DatasetError, match=r"first 'test_gt\.csv' \(the list is not there\)"):
        Clap2016(tmp_path).read()
