from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from ordbench.errors import DatasetError
from ordbench_datasets.koniq10k import Koniq10k

Put = Callable[[Path, Iterable[str]], Path]
HEADER = "image_name,c1,c2,c3,c4,c5,c_total,MOS,SD,set\n"
# Rows of the published list.
ROWS = [
    "10004473376.jpg,0.0,0.0,0.238095238095,0.695238095238,0.0666666666667,105,77.3836206897,"
    "0.527277894494,training\n",
    "10007357496.jpg,0.0,0.03125,0.46875,0.489583333333,0.0104166666667,96,68.7285714286,"
    "0.580003024795,test\n",
    "10043785683.jpg,0.0,0.0,0.433962264151,0.566037735849,0.0,106,71.2043269231,0.497974333332,"
    "validation\n",
    "10344921126.jpg,0.853211009174,0.146788990826,0.0,0.0,0.0,109,4.46638655462,0.355530070442,"
    "training\n",
]


def test_the_mean_grade_is_that_of_the_shares(tmp_path: Path, put: Put) -> None:
    put(tmp_path / "1024x768", [row.partition(",")[0] for row in ROWS])
    (tmp_path / "koniq10k_distributions_sets.csv").write_text(HEADER + "".join(ROWS))
    listing = Koniq10k(tmp_path).read()
    assert [(s.rank, s.part) for s in listing.samples] == [
        (3, "train"),
        (2, "test"),
        (3, "val"),
        (0, "train"),
    ]
    for sample, row in zip(listing.samples, ROWS, strict=True):
        count = int(row.split(",")[6])
        grades = [
            grade
            for grade, share in enumerate(map(float, row.split(",")[1:6]), 1)
            for _ in range(round(share * count))
        ]
        mean = sum(grades) / count
        variance = sum((grade - mean) ** 2 for grade in grades) / (count - 1)
        assert sample.extra["mean"] == pytest.approx(mean)
        assert sample.extra["stdv"] == pytest.approx(variance**0.5)


def test_two_sizes_are_one_set_of_photographs(tmp_path: Path, put: Put) -> None:
    put(tmp_path, ["1024x768/10004473376.jpg", "512x384/10004473376.jpg"])
    (tmp_path / "koniq10k_distributions_sets.csv").write_text(HEADER + ROWS[0])
    assert Koniq10k(tmp_path).read().rejected == (
        ("512x384/10004473376.jpg", "the same picture as 1024x768/10004473376.jpg"),
    )


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("1.jpg,0,0,0,0,0,0,3,1,test", "line 2: wanted the shares of the grades in c1 to c5"),
        ("1.jpg,-1,0,2,0,0,1,3,1,test", "line 2: wanted the shares of the grades in c1 to c5"),
        ("1.jpg,0,0,1,0,0,1,3,,test", "line 2, column SD: wanted a number, got ''"),
        ("1.jpg,0,0,1,0,0,1,3,1,all", "line 2, column set: wanted the part of .*, got 'all'"),
    ],
)
def test_an_edited_list_is_named(tmp_path: Path, put: Put, row: str, message: str) -> None:
    put(tmp_path, ["1.jpg"])
    (tmp_path / "koniq10k_distributions_sets.csv").write_text(HEADER + row + "\n")
    with pytest.raises(DatasetError, match=message):
        Koniq10k(tmp_path).read()
