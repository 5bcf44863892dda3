from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ordbench.errors import DatasetError
from ordbench.splits.draw import draw
from ordbench_datasets.imdb_clean import ImdbClean

Put = Callable[[Path, Iterable[str]], Path]
HEADER = "filename,age,gender,x_min,y_min,x_max,y_max,head_roll,head_yaw,head_pitch\n"
FACES = [
    "00/nm0000100_rm46373120_1955-1-6_2003.jpg",
    "00/nm0000100_rm1515688448_1955-1-6_2005.jpg",
    "21/nm0000121_rm123_1963-12-18_1999.jpg",
    "99/nm0000199_rm5_1940-4-25_2010.jpg",
]


def row(name: str, age: str, gender: str = "F") -> str:
    return f"{name},{age},{gender},10,20,300,400,1.5,-2,0.1\n"


def listed(root: Path, ending: str = "_1024", **rows: str) -> Path:
    """Write the three lists as the authors' script leaves them."""
    (root / "csvs").mkdir(parents=True)
    for part in ("train", "valid", "test"):
        name = f"imdb_{part}_new{ending}.csv"
        (root / "csvs" / name).write_text(HEADER + rows.get(part, ""), encoding="utf-8")
    return root


@pytest.mark.parametrize("ending", ["_1024", ""])
def test_parts_people_and_ages_are_read(tmp_path: Path, put: Put, ending: str) -> None:
    put(tmp_path / "data" / "imdb-clean-1024", FACES)
    listed(
        tmp_path,
        ending,
        train=row(FACES[0], "48", "M"),
        valid=row(FACES[1], "50", "M"),
        test=row(FACES[2], "35.0"),
    )
    listing = ImdbClean(tmp_path).read()
    assert [(s.name, s.rank, s.group, s.part, dict(s.extra)) for s in listing.samples] == [
        (FACES[1], 50, "0000100", "val", {"gender": "male"}),
        (FACES[0], 48, "0000100", "train", {"gender": "male"}),
        (FACES[2], 35, "0000121", "test", {"gender": "female"}),
    ]
    assert listing.rejected == ((f"data/imdb-clean-1024/{FACES[3]}", "in no list"),)
    assert listing.task.num_ranks == 117


def test_people_in_training_and_validation_are_reported_not_refused(
    tmp_path: Path, put: Put
) -> None:
    put(tmp_path, FACES)
    parts = {"train": FACES[0], "valid": FACES[1], "test": FACES[2]}
    listing = ImdbClean(listed(tmp_path, **{p: row(f, "48") for p, f in parts.items()})).read()
    assert listing.leaky
    split = draw(listing, dataset="x", protocol="standard", fold=0, shots=None, data_seed=0)
    assert (split.train, split.val, split.leaks) == ((FACES[0],), (FACES[1],), 0)


def test_people_in_one_part_each_are_kept_apart(tmp_path: Path, put: Put) -> None:
    put(tmp_path, FACES)
    parts = {"train": FACES[0], "valid": FACES[3], "test": FACES[2]}
    listing = ImdbClean(listed(tmp_path, **{p: row(f, "48") for p, f in parts.items()})).read()
    assert not listing.leaky


def test_ages_that_nobody_has_and_faces_of_nobody_are_counted(tmp_path: Path, put: Put) -> None:
    put(tmp_path, [*FACES, "00/a.jpg"])
    train = "".join(
        row(*r)
        for r in [(FACES[0], "48"), (FACES[1], "-31"), (FACES[2], "2014"), ("00/a.jpg", "5")]
    )
    listing = ImdbClean(listed(tmp_path, train=train, test=row(FACES[3], "116"))).read()
    assert [s.rank for s in listing.samples] == [48, 116]
    assert listing.rejected == (
        (FACES[1], "age -31 is not in 0..116"),
        (FACES[2], "age 2014 is not in 0..116"),
        ("00/a.jpg", "names no person as nm[digits]_rm"),
    )


def test_a_missing_list_is_named(tmp_path: Path, put: Put) -> None:
    put(listed(tmp_path), FACES)
    (tmp_path / "csvs" / "imdb_valid_new_1024.csv").unlink()
    with pytest.raises(DatasetError, match=r"'imdb_valid_new_1024\.csv' \(the list is not there"):
        ImdbClean(tmp_path).read()


def test_a_column_that_stands_twice_is_refused(tmp_path: Path, put: Put) -> None:
    put(tmp_path, FACES)
    listed(tmp_path, train=row(FACES[0], "48"))
    (tmp_path / "csvs" / "imdb_valid_new_1024.csv").write_text("filename,age,gender,age\n")
    with pytest.raises(DatasetError, match=r"imdb_valid_new_1024\.csv has the column 'age' twice"):
        ImdbClean(tmp_path).read()
