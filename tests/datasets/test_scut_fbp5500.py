from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ordbench.errors import DatasetError
from ordbench_datasets.scut_fbp5500 import ScutFbp5500

Put = Callable[[Path, Iterable[str]], Path]


def release(root: Path, tested: dict[int, str]) -> Path:
    """The published folders; each fold has a list of its test images, and one of the others."""
    lists = root / "SCUT-FBP5500_v2" / "train_test_files"
    other = lists / "split_of_60%training and 40%testing"
    other.mkdir(parents=True)
    (other / "test.txt").write_text("CM148.jpg 3.516667\n")
    for number in range(1, 6):
        folder = lists / "5_folders_cross_validations_files" / f"cross_validation_{number}"
        folder.mkdir(parents=True)
        (folder / f"test_{number}.txt").write_text(tested.get(number, ""))
        (folder / f"train_{number}.txt").write_text(
            "".join(text for fold, text in tested.items() if fold != number)
        )
    return root


def test_folds_test_what_their_lists_say(tmp_path: Path, put: Put) -> None:
    put(tmp_path / "SCUT-FBP5500_v2" / "Images", ["AF1.jpg", "CM148.jpg", "CF9.jpg", "AM2.jpg"])
    tested = {1: "CM148.jpg 3.516667\nAM2.jpg 1.016667\n", 5: "AF1.jpg 4.75\r\nAF3.jpg 2.5\r\n"}
    listing = ScutFbp5500(release(tmp_path, tested)).read()
    assert [(s.name, s.rank, s.fold, s.extra["mean"]) for s in listing.samples] == [
        ("AF1.jpg", 4, 4, 4.75),
        ("AM2.jpg", 0, 0, 1.016667),
        ("CM148.jpg", 3, 0, 3.516667),
    ]
    assert listing.rejected == (
        ("AF3.jpg", "listed, but not below the root"),
        ("SCUT-FBP5500_v2/Images/CF9.jpg", "in no list"),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("AF1.jpg 5.5\n", r"test_2\.txt line 1: wanted a grade of 1 to 5, got 5\.5"),
        ("AF1.jpg high\n", r"test_2\.txt line 1, column grade: wanted a number, got 'high'"),
        ("\nAF1.jpg\n", r"test_2\.txt line 2: wanted 2 words \(image, grade\), got 1"),
    ],
)
def test_an_edited_list_is_named(tmp_path: Path, put: Put, text: str, message: str) -> None:
    put(tmp_path, ["AF1.jpg"])
    with pytest.raises(DatasetError, match=message):
        ScutFbp5500(release(tmp_path, {2: text})).read()
