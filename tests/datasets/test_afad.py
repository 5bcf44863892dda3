from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ordbench_datasets.afad import Afad

Put = Callable[[Path, Iterable[str]], Path]


@pytest.mark.parametrize("above", ["", "AFAD-Full/", "tarball-lite/AFAD-Lite/"])
def test_age_and_person_are_read_below_any_folder(tmp_path: Path, put: Put, above: str) -> None:
    put(tmp_path, [f"{above}{path}" for path in ("15/111/638660-1.jpg", "75/112/9-0.jpg")])
    listing = Afad(tmp_path).read()
    assert [(s.name, s.rank, s.group) for s in listing.samples] == [
        ("15/111/638660-1.jpg", 0, "638660"),
        ("75/112/9-0.jpg", 60, "9"),
    ]
    assert (listing.task.num_ranks, listing.rejected) == (61, ())


def test_one_file_name_at_two_ages_is_two_pictures(tmp_path: Path, put: Put) -> None:
    put(tmp_path, ["20/111/5-0.jpg", "21/111/5-0.jpg"])
    listing = Afad(tmp_path).read()
    assert [(s.rank, s.group) for s in listing.samples] == [(5, "5"), (6, "5")]


def test_what_lies_elsewhere_is_counted(tmp_path: Path, put: Put) -> None:
    put(tmp_path, ["20/111/5-0.jpg", "14/111/5-0.jpg", "20/113/5-0.jpg", "5-0.jpg"])
    (tmp_path / "20" / "111" / "Thumbs.db").write_bytes(b"x")
    assert dict(Afad(tmp_path).read().rejected) == {
        "14/111/5-0.jpg": "age 14 is not in 15..75",
        "20/111/Thumbs.db": "'.db' is not the ending of an image file",
        "20/113/5-0.jpg": "not at [age]/[111 or 112]/[person]-[picture].jpg",
        "5-0.jpg": "not at [age]/[111 or 112]/[person]-[picture].jpg",
    }
