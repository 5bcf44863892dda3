from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from ordbench_datasets.appa_real import AppaReal

Put = Callable[[Path, Iterable[str]], Path]
HEADER = "file_name,num_ratings,apparent_age_avg,apparent_age_std,real_age\n"


def release(root: Path, put: Put) -> Path:
    """The published release with a photograph for each part, and one that has no face."""
    root /= "appa-real-release"
    for number, folder in enumerate(["train", "valid", "test"]):
        name = f"00000{number}.jpg"
        put(root / folder, [name, f"{name}_face.jpg"])
        (root / folder / f"{name}.mat").write_bytes(b"MATLAB")
        rows = f"{name},38,30.{number}5,3.{number},{25 + number}\n"
        (root / f"gt_avg_{folder}.csv").write_text(HEADER + rows)
        (root / f"gt_{folder}.csv").write_text("007611.jpg,20,32,54,female\n")
    with (root / "gt_avg_test.csv").open("a") as more:
        more.write("000009.jpg,38,130,3,20\n000010.jpg,38,30,3,120\n")
    put(root / "test", ["000009.jpg_face.jpg"])
    return root.parent


def test_faces_are_read_and_whole_photographs_are_not(tmp_path: Path, put: Put) -> None:
    listing = AppaReal(release(tmp_path, put)).read()
    assert [(s.name, s.rank, s.part, dict(s.extra)) for s in listing.samples] == [
        ("test/000002.jpg_face.jpg", 30, "test", {"mean": 30.25, "stdv": 3.2}),
        ("train/000000.jpg_face.jpg", 30, "train", {"mean": 30.05, "stdv": 3.0}),
        ("valid/000001.jpg_face.jpg", 30, "val", {"mean": 30.15, "stdv": 3.1}),
    ]
    assert listing.rejected == (
        ("test/000009.jpg_face.jpg", "age 130 is not in 0..100"),
        ("test/000010.jpg_face.jpg", "listed, but not below the root"),
    )


def test_real_ages_have_no_raters(tmp_path: Path, put: Put) -> None:
    listing = AppaReal(release(tmp_path, put), target="real").read()
    assert [(s.rank, s.part, dict(s.extra)) for s in listing.samples] == [
        (27, "test", {}),
        (20, "test", {}),
        (25, "train", {}),
        (26, "val", {}),
    ]
    assert listing.rejected == (("test/000010.jpg_face.jpg", "age 120 is not in 0..100"),)
