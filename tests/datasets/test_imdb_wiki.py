from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ordbench.errors import DatasetError
from ordbench_datasets.imdb_wiki import ImdbWiki

Put = Callable[[Path, Iterable[str]], Path]
FACES = [
    "01/nm0000001_rm124825600_1899-5-10_1968.jpg",
    "02/nm0000002_rm1075631616_1924-9-16_2004.jpg",
    "02/nm0000002_rm1346607872_1924-9-16_2004.jpg",
    "08/nm0000008_rm62429440_1924-4-3_1991.jpg",
    "10/nm0000010_rm5_1899-7-17_1868.jpg",
    "11/nm0000011_rm5_1-1-1_2015.jpg",
]


def row(face: str, name: str, age: str, confidence: str = "0.93", gender: str = "M") -> str:
    return "\t".join((face, name, "10", "20.5", "300", "400", age, gender, confidence)) + "\n"


def listed(root: Path, text: str) -> Path:
    (root / "emcnn_annotion_18-Nov-2017.txt").write_text(text, encoding="utf-8")
    return root


def test_names_with_blanks_are_people(tmp_path: Path, put: Put) -> None:
    put(tmp_path / "imdb", FACES[:3])
    rows = row(FACES[0], "Fred Astaire", "69") + row(FACES[1], "Lauren Bacall", "80", gender="F")
    listing = ImdbWiki(listed(tmp_path, rows + row(FACES[2], "Lauren Bacall", "79.6"))).read()
    assert [(s.rank, s.group, s.part, dict(s.extra)) for s in listing.samples] == [
        (69, "Fred Astaire", None, {"gender": "male"}),
        (80, "Lauren Bacall", None, {"gender": "female"}),
        (80, "Lauren Bacall", None, {"gender": "male"}),
    ]
    assert listing.rejected == ()


def test_what_is_left_out_is_counted(tmp_path: Path, put: Put) -> None:
    put(tmp_path, [FACES[0], *FACES[2:]])
    rows = [
        row(FACES[0], "A", "69", "0"),
        row(FACES[1], "B", "80"),
        row(FACES[3], "C", "67", "-1"),
        row(FACES[4], "D", "-31"),
        row(FACES[5], "E", "2014"),
        row(FACES[2], "", "79"),
    ]
    listing = ImdbWiki(listed(tmp_path, "".join(rows))).read()
    assert [s.name for s in listing.samples] == FACES[:1]
    assert listing.rejected == (
        (FACES[1], "listed, but not below the root"),
        (FACES[3], "confidence -1 is below 0"),
        (FACES[4], "age -31 is not in 0..116"),
        (FACES[5], "age 2014 is not in 0..116"),
        (FACES[2], "names no person"),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{FACES[0]},A,1,2,3,4,30,M,1\n", r"line 1: wanted 9 words \(img_path, name, .* got 1"),
        (f"\n{row(FACES[0], 'A', 'old')}", r"line 2, column age: wanted a number, got 'old'"),
    ],
)
def test_another_list_is_refused(tmp_path: Path, put: Put, text: str, message: str) -> None:
    put(tmp_path, FACES)
    with pytest.raises(DatasetError, match=message):
        ImdbWiki(listed(tmp_path, text)).read()


def test_without_the_list_it_says_what_it_expects(tmp_path: Path, put: Put) -> None:
    put(tmp_path, FACES)
    with pytest.raises(DatasetError, match=r"img_path, name, .*, confidence with tabs between"):
        ImdbWiki(tmp_path).read()
