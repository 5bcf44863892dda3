from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from ordbench_datasets.agedb import AgeDb, parse
from ordbench_datasets.families.faces import Face

Put = Callable[[Path, Iterable[str]], Path]
Shared = Callable[[str], Path]


def test_every_published_name_says_its_age(shared: Shared) -> None:
    entries = json.loads(
        shared("splits/facial-age-benchmark-databases/AgeDB.json").read_text(encoding="utf-8")
    )
    faces = [parse(entry["img_path"].rpartition("/")[2]) for entry in entries]
    read = [face for face in faces if isinstance(face, Face)]
    assert len({face.name for face in read}) == len(entries)
    assert [(f.age, f.group) for f in read] == [(e["age"], e["name"]) for e in entries]


def test_names_of_people_may_hold_anything(tmp_path: Path, put: Put) -> None:
    put(tmp_path / "AgeDB", ["1_Stéphane_Audran_24_f.JPG", "2_O'Toole_101_m.jpg"])
    listing = AgeDb(tmp_path).read()
    assert [(s.name, s.rank, s.group) for s in listing.samples] == [
        ("1_Stéphane_Audran_24_f.jpg", 23, "Stéphane_Audran"),
        ("2_O'Toole_101_m.jpg", 100, "O'Toole"),
    ]


def test_odd_names_are_reported(tmp_path: Path, put: Put) -> None:
    put(tmp_path, ["1_Name_24_f.jpg", "1_Name_24.jpg", "2_Name_102_m.jpg", "x/1_Name_24_f.jpg"])
    assert dict(AgeDb(tmp_path).read().rejected) == {
        "1_Name_24.jpg": "not named [number]_[person]_[age]_[m or f].jpg",
        "2_Name_102_m.jpg": "age 102 is not in 1..101",
        "x/1_Name_24_f.jpg": "the same picture as 1_Name_24_f.jpg",
    }
