from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ordbench.errors import DatasetError
from ordbench.splits.draw import draw
from ordbench_datasets.knee_kl import KneeKL

Put = Callable[[Path, Iterable[str]], Path]
KNEES = [
    "train/0/9003175L.png",
    "train/3/9003175R.png",
    "val/4/9003316L.png",
    "test/1/9003406R.png",
    "auto_test/1/9003406R_1.png",
]


def test_parts_grades_and_people_are_read(tmp_path: Path, put: Put) -> None:
    put(tmp_path / "KneeXrayData" / "ClsKLData" / "kneeKL224", KNEES)
    listing = KneeKL(tmp_path).read()
    assert [(s.name, s.rank, s.group, s.part, dict(s.extra)) for s in listing.samples] == [
        ("0/9003175L.png", 0, "9003175", "train", {"side": "left"}),
        ("1/9003406R.png", 1, "9003406", "test", {"side": "right"}),
        ("3/9003175R.png", 3, "9003175", "train", {"side": "right"}),
        ("4/9003316L.png", 4, "9003316", "val", {"side": "left"}),
    ]
    assert listing.rejected == ()
    split = draw(listing, dataset="x", protocol="standard", fold=0, shots=None, data_seed=0)
    assert (split.val, split.test) == (("4/9003316L.png",), ("1/9003406R.png",))


def test_the_other_knee_of_a_tested_person_is_not_trained_on(tmp_path: Path, put: Put) -> None:
    put(tmp_path, [*KNEES, "test/2/9003175L.png"])
    with pytest.raises(DatasetError, match=r"group '9003175' is in two parts"):
        draw(
            KneeKL(tmp_path).read(),
            dataset="x",
            protocol="standard",
            fold=0,
            shots=None,
            data_seed=0,
        )


def test_odd_names_and_copies_are_reported(tmp_path: Path, put: Put) -> None:
    put(tmp_path, [f"kneeKL224/{KNEES[0]}", f"kneeKL299/{KNEES[0]}", "val/2/9003316.png"])
    put(tmp_path, ["val/5/9003316L.png"])
    assert KneeKL(tmp_path).read().rejected == (
        (f"kneeKL299/{KNEES[0]}", f"the same picture as kneeKL224/{KNEES[0]}"),
        ("val/2/9003316.png", "not named [person][L or R].png"),
    )
