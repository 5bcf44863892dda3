from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ordbench.errors import DatasetError
from ordbench_datasets.fairface import RANGES, FairFace

Put = Callable[[Path, Iterable[str]], Path]


def listed(root: Path, train: list[str], val: list[str]) -> Path:
    header = "file,age,gender,race,service_test\n"
    for name, ages in (("train", train), ("val", val)):
        rows = [f"{name}/{n}.jpg,{age},Male,White,True\n" for n, age in enumerate(ages, 1)]
        (root / f"fairface_label_{name}.csv").write_text(header + "".join(rows))
    return root


def test_every_range_is_a_rank_and_val_is_the_test(tmp_path: Path, put: Put) -> None:
    images = [f"train/{number}.jpg" for number in range(1, 10)] + ["val/1.jpg"]
    put(tmp_path / "fairface-img-margin025-trainval", images)
    listing = FairFace(listed(tmp_path, list(RANGES), ["3-9"])).read()
    assert [(s.name, s.rank) for s in listing.samples] == [
        *((f"train/{number}.jpg", number - 1) for number in range(1, 10)),
        ("val/1.jpg", 1),
    ]
    assert listing.rejected == ()
    assert listing.samples[0].extra == {"gender": "male", "race": "White"}
    assert [s.part for s in listing.samples] == [*["train"] * 9, "test"]
    assert listing.notes == (
        "the official validation images are the test images, as no others have labels",
    )


@pytest.mark.parametrize("age", ["9-Mar", "Oct-19", "", "70+"])
def test_a_list_that_excel_changed_is_named(tmp_path: Path, put: Put, age: str) -> None:
    put(tmp_path, ["train/1.jpg"])
    with pytest.raises(DatasetError, match=r"train\.csv line 2, column age: .*Excel makes dates"):
        FairFace(listed(tmp_path, [age], [])).read()


def test_faces_that_are_not_there_are_counted(tmp_path: Path, put: Put) -> None:
    put(tmp_path, ["train/1.jpg", "val/7.jpg"])
    assert FairFace(listed(tmp_path, ["0-2", "0-2"], [])).read().rejected == (
        ("train/2.jpg", "listed, but not below the root"),
        ("val/7.jpg", "in no list"),
    )
