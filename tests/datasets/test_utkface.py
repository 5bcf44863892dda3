from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ordbench.errors import DatasetError
from ordbench.splits.draw import draw
from ordbench_datasets.utkface import UtkFace, parse

Put = Callable[[Path, Iterable[str]], Path]
FACES = ["1_0_0_2017.jpg.chip.jpg", "116_1_4_2018.jpg.chip.jpg", "26_0_2_2016.jpg"]


def test_the_real_faces_are_listed_and_the_five_odd_names_are_reported(
    shared: Callable[[str], Path],
) -> None:
    listing = UtkFace(shared("data/utkface")).read()
    assert len(listing.samples) == 3933
    assert {name.partition(".")[0]: reason for name, reason in listing.rejected} == {
        "24_0_1_20170116220224657 ": "a space in the name",
        "39_1_20170116174525125": "3 fields instead of age_gender_race_time",
        "55_0_0_20170116232725357jpg": "no dot before jpg",
        "61_1_20170109142408075": "3 fields instead of age_gender_race_time",
        "61_1_20170109150557335": "3 fields instead of age_gender_race_time",
    }
    assert all(str(s.rank + 1) == s.name.partition("_")[0] for s in listing.samples)
    assert listing.samples[0].open().size == (200, 200)
    split = draw(listing, dataset="utkface", protocol="standard", fold=0, shots=4, data_seed=0)
    assert split.hash[:16] == "e39514f55e7a1676"


def test_ages_1_to_116_are_the_ranks(tmp_path: Path, put: Put) -> None:
    listing = UtkFace(put(tmp_path, FACES)).read()
    task = listing.task
    assert (task.rank_names[0], task.rank_names[-1], task.num_ranks) == ("1", "116", 116)
    assert [task.rank_values[s.rank] for s in listing.samples] == [116.0, 1.0, 26.0]
    assert task.unit == "years"
    # 0 and 1 are male and female; 0 to 4 are White, Black, Asian, Indian and others.
    assert [s.extra for s in listing.samples] == [
        {"gender": "female", "race": "other"},
        {"gender": "male", "race": "White"},
        {"gender": "male", "race": "Asian"},
    ]


def test_names_do_not_depend_on_the_folder_or_on_the_second_ending(
    tmp_path: Path, put: Put
) -> None:
    flat = UtkFace(put(tmp_path / "flat", FACES)).read()
    deep = [f"UTKFace/part{n}/{name.removesuffix('.chip.jpg')}" for n, name in enumerate(FACES)]
    below = UtkFace(put(tmp_path / "deep", deep)).read()
    assert [s.name for s in flat.samples] == [
        "116_1_4_2018.jpg",
        "1_0_0_2017.jpg",
        "26_0_2_2016.jpg",
    ]
    assert flat.fingerprint == below.fingerprint


def test_a_face_that_lies_there_twice_is_listed_once(tmp_path: Path, put: Put) -> None:
    names = [f"{folder}/{FACES[0]}" for folder in ("UTKFace", "crop_part1")]
    listing = UtkFace(put(tmp_path, names)).read()
    assert [s.image for s in listing.samples] == [tmp_path / names[0]]
    assert listing.rejected == ((names[1], f"the same picture as {names[0]}"),)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("53__0_20170116184028385.jpg", "a field of age_gender_race_time is no whole number"),
        ("5_2_0_2017.jpg", "not named [age]_[gender 0-1]_[race 0-4]_[time].jpg"),
        ("5_1_5_2017.jpg.chip.jpg", "not named [age]_[gender 0-1]_[race 0-4]_[time].jpg"),
        ("holiday.jpg", "1 fields instead of age_gender_race_time"),
    ],
)
def test_an_odd_name_says_what_is_odd(name: str, reason: str) -> None:
    assert parse(name) == reason


def test_what_is_no_face_is_reported_by_name(tmp_path: Path, put: Put) -> None:
    put(tmp_path, [*FACES, "117_0_0_2017.jpg", "0_0_0_2017.jpg"])
    (tmp_path / "9_0_0_2017.jpg").write_text("I am a text")
    (tmp_path / "UTKFace.tar.gz").touch()
    listing = UtkFace(tmp_path).read()
    assert len(listing.samples) == 3
    assert dict(listing.rejected) == {
        "0_0_0_2017.jpg": "age 0 is not in 1..116",
        "117_0_0_2017.jpg": "age 117 is not in 1..116",
        "9_0_0_2017.jpg": "not an image: it starts with b'I am a t'",
        "UTKFace.tar.gz": "'.gz' is not the ending of an image file",
    }


def test_an_archive_that_is_still_packed_is_named(tmp_path: Path) -> None:
    (tmp_path / "UTKFace.tar.gz").touch()
    with pytest.raises(DatasetError, match=r"got 1 other file, first 'UTKFace\.tar\.gz'"):
        UtkFace(tmp_path).read()
