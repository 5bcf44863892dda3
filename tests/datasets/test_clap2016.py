from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ordbench.dataset import Part, Sample
from ordbench.errors import DatasetError
from ordbench_datasets.clap2016 import Clap2016, labelled
from ordbench_datasets.families.apparent import FOLDERS

Put = Callable[[Path, Iterable[str]], Path]
Shared = Callable[[str], Path]
HEADER = "image,mean,stdv\n"


def test_the_published_photographs_are_read(shared: Shared, tmp_path: Path) -> None:
    entries = json.loads(
        shared("splits/facial-age-benchmark-databases/CLAP2016.json").read_text(encoding="utf-8")
    )
    parts: list[Part] = ["train", "val", "test"]
    read: dict[str, Sample] = {}
    for folder, part in enumerate(parts):
        text = "".join(
            f"{entry['img_path'].rpartition('/')[2]},{entry['age']},{entry['std_age']}\n"
            for entry in entries
            if entry["folder"] == folder
        )
        (tmp_path / "gt.csv").write_text(HEADER + text)
        rows = labelled(tmp_path / "gt.csv", part)
        read |= {row.name: row for row in rows if isinstance(row, Sample)}
    assert Counter(s.part for s in read.values()) == {"train": 4113, "val": 1500, "test": 1978}
    for entry in entries:
        sample = read[entry["img_path"].partition("/")[2]]
        assert (sample.rank + 1, sample.extra["stdv"]) == (entry["age"], entry["std_age"])


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
