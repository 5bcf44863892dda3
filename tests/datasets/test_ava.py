from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ordbench.dataset import Sample
from ordbench.errors import DatasetError
from ordbench_datasets.ava import Ava, Label, labelled

Put = Callable[[Path, Iterable[str]], Path]
COUNTS = {
    "953619": [0, 1, 5, 17, 38, 36, 15, 6, 5, 1],
    "953958": [10, 7, 15, 26, 26, 21, 10, 8, 1, 2],
    "100": [3, 0, 0, 0, 0, 0, 0, 0, 0, 3],
    "7": [0, 0, 0, 0, 0, 0, 0, 0, 0, 2],
    "8": [0, 0, 1, 1, 0, 0, 0, 0, 0, 0],
}


def listed(root: Path, counts: dict[str, list[int]], **lists: str) -> Path:
    """Write AVA.txt and image lists, as they are distributed."""
    lines = [
        f"{index} {name} {' '.join(map(str, of))} 1 22 1396 "
        for index, (name, of) in enumerate(counts.items(), 1)
    ]
    (root / "aesthetics_image_lists").mkdir(parents=True)
    (root / "AVA.txt").write_text("\n".join(lines) + "\n")
    for name, ids in lists.items():
        text = "".join(f"{one}\n" for one in ids.split())
        (root / "aesthetics_image_lists" / f"{name}.jpgl").write_text(text)
    return root


@pytest.mark.parametrize("label", ["mean", "median"])
def test_the_ratings_are_those_of_the_counts(tmp_path: Path, label: Label) -> None:
    rows = list(labelled(listed(tmp_path, COUNTS) / "AVA.txt", label))
    assert [row.name for row in rows] == list(COUNTS)
    for row, counts in zip(rows, COUNTS.values(), strict=True):
        ratings = [rating for rating, count in enumerate(counts, 1) for _ in range(count)]
        mean = statistics.mean(ratings)
        assert row.extra["mean"] == pytest.approx(mean)
        assert row.extra["stdv"] == pytest.approx(statistics.pstdev(ratings))
        expected = round(mean) if label == "mean" else statistics.median_low(ratings)
        assert row.rank + 1 == expected


def test_the_test_list_is_tested_and_all_others_train(tmp_path: Path, put: Put) -> None:
    put(tmp_path / "images", ["953619.jpg", "953958.jpg", "100.jpg", "5.jpg"])
    listing = Ava(listed(tmp_path, COUNTS, generic_test="953958 7")).read()
    assert [(s.name, s.rank, s.part) for s in listing.samples] == [
        ("100", 5, "train"),
        ("953619", 5, "train"),
        ("953958", 4, "test"),
    ]
    assert listing.rejected == (
        ("7", "listed, but not below the root"),
        ("8", "listed, but not below the root"),
        ("images/5.jpg", "in no list"),
    )
    assert listing.notes == ()


def test_a_category_has_lists_of_its_own(tmp_path: Path, put: Put) -> None:
    put(tmp_path, [f"{name}.jpg" for name in COUNTS])
    listed(tmp_path, COUNTS, animal_train="7 8 100", animal_test="100 953619", floral_train="7")
    listing = Ava(tmp_path, category="animal").read()
    assert [(s.name, s.part) for s in listing.samples] == [
        ("100", "test"),
        ("7", "train"),
        ("8", "train"),
        ("953619", "test"),
    ]
    assert listing.notes == (
        "1 photograph of other categories left out",
        "1 of the training list are in the test list, too, and only tested",
    )
    with pytest.raises(DatasetError, match=r"'floral_test\.jpgl' \(the list is not there\)"):
        Ava(tmp_path, category="floral").read()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1 5 0 0 0 0 0 0 0 0 0 0 1 2 3", "line 1: wanted the counts of the ratings 1 to 10"),
        ("1 5 0 0 0 x 0 0 0 0 0 0 1 2 3", "line 1: wanted the counts of the ratings 1 to 10"),
        (f"1 5 {'9' * 5000} 0 0 0 0 0 0 0 0 0 1 2 3", "line 1: wanted the counts of the ratings 1"),
        ("1 5 0 0 0 1 0 0 0 0 0 0 1 2", r"line 1: wanted 15 words \(index, image ID, .* got 14"),
    ],
)
def test_an_edited_list_is_named(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "AVA.txt").write_text(line + "\n")
    with pytest.raises(DatasetError, match=message):
        list[Sample](labelled(tmp_path / "AVA.txt", "mean"))
