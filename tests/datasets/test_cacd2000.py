from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from ordbench.errors import DatasetError
from ordbench_datasets.cacd2000 import Cacd2000

Put = Callable[[Path, Iterable[str]], Path]
# Name, identity, age and rank, as the published structure has them.
ROWS = [
    ("53_Robin_Williams_0001.jpg", 1, 53, 1),
    ("54_Robin_Williams_0002.jpg", 1, 54, 1),
    ("30_José_O'Neil_Jr._0001.jpg", 2, 30, 5),
    ("14_Emma_Stone_0003.jpg", 3, 14, 6),
]


def listed(folder: Path, rows: list[tuple[str, int, int, int]]) -> Path:
    """Write the list as columns: a cell array of names and arrays of numbers."""
    names, *numbers = zip(*rows, strict=True)
    cells = np.empty((len(names), 1), object)
    cells[:, 0] = names
    columns = [np.array(column)[:, None] for column in numbers]
    fields = dict(zip(("identity", "age", "rank"), columns, strict=True))
    people = {"name": cells, "identity": columns[0]}
    savemat(
        folder / "celebrity2000_meta.mat",
        {"celebrityImageData": {"name": cells, **fields}, "celebrityData": people},
    )
    return folder


def test_parts_come_from_the_rank_of_the_celebrity(tmp_path: Path, put: Put) -> None:
    put(tmp_path / "CACD2000", [name for name, *_ in ROWS])
    listing = Cacd2000(listed(tmp_path, ROWS)).read()
    assert [(s.name, s.rank, s.group, s.part) for s in listing.samples] == [
        ("14_Emma_Stone_0003.jpg", 0, "3", "train"),
        ("30_José_O'Neil_Jr._0001.jpg", 16, "2", "test"),
        ("53_Robin_Williams_0001.jpg", 39, "1", "val"),
        ("54_Robin_Williams_0002.jpg", 40, "1", "val"),
    ]
    assert (listing.task.num_ranks, listing.rejected) == (49, ())


def test_one_row_is_a_list(tmp_path: Path, put: Put) -> None:
    put(tmp_path, [ROWS[0][0]])
    assert [s.rank for s in Cacd2000(listed(tmp_path, ROWS[:1])).read().samples] == [39]


def test_what_is_left_out_is_counted(tmp_path: Path, put: Put) -> None:
    put(tmp_path, [ROWS[0][0], "20_Unknown_0001.jpg"])
    rows = [*ROWS[:2], ("63_Old_Man_0001.jpg", 4, 63, 9)]
    assert Cacd2000(listed(tmp_path, rows)).read().rejected == (
        ("54_Robin_Williams_0002.jpg", "listed, but not below the root"),
        ("63_Old_Man_0001.jpg", "age 63 is not in 14..62"),
        ("20_Unknown_0001.jpg", "in no list"),
    )


def test_another_file_is_refused(tmp_path: Path, put: Put) -> None:
    put(tmp_path, [ROWS[0][0]])
    (tmp_path / "celebrity2000_meta.mat").write_bytes(b"<html>not found</html>")
    with pytest.raises(DatasetError, match=r"meta\.mat cannot be read: .*; wanted celebrityImage"):
        Cacd2000(tmp_path).read()
    images = {"name": "a.jpg", "identity": 1, "age": np.nan, "rank": 1}
    savemat(tmp_path / "celebrity2000_meta.mat", {"celebrityImageData": images})
    with pytest.raises(DatasetError, match=r"meta\.mat cannot be read: cannot convert float NaN"):
        Cacd2000(tmp_path).read()
    savemat(tmp_path / "celebrity2000_meta.mat", {"celebrityData": {"name": ["a"]}})
    with pytest.raises(DatasetError, match=r"meta\.mat cannot be read: .*celebrityImageData"):
        Cacd2000(tmp_path).read()
