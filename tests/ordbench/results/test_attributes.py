"""Tables and comparisons by a value beside the rank."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ordbench.errors import SpecError, StoreError
from ordbench.leaderboard.formats import render
from ordbench.leaderboard.loading import load_tables
from ordbench.results.archive import write_archive
from ordbench.results.attributes import parts_of
from ordbench.results.layout import ARCHIVE
from ordbench.results.loading import read_records

Write = Callable[..., Path]


def test_values_are_in_order_and_many_numbers_in_quarters() -> None:
    extra = {
        "gender": ("m", "f", None, "m"),
        "few": (2.0, 1.0, 2.0, float("nan")),
        "many": tuple(map(float, range(20))),
        "name": tuple(map(str, range(60))),
    }
    assert [(value, at.tolist()) for value, at in parts_of(extra, "gender")] == [
        ("f", [1]),
        ("m", [0, 3]),
    ]
    assert [(value, at.tolist()) for value, at in parts_of(extra, "few")] == [
        ("1", [1]),
        ("2", [0, 2]),
    ]
    assert [value for value, _ in parts_of(extra, "many")] == ["0..4", "5..9", "10..14", "15..19"]
    with pytest.raises(SpecError, match="attribute 'name' has 60 values; wanted at most 50"):
        parts_of(extra, "name")
    with pytest.raises(SpecError, match="no attribute 'gendr'; did you mean gender"):
        parts_of(extra, "gendr")


def test_each_value_has_a_table(write: Write, tmp_path: Path) -> None:
    for head, errors in (("linear", [1.0, 2.0, 3.0, 4.0]), ("coral", [2.0, 2.0, 2.0, 8.0])):
        write(
            head,
            0,
            images=4,
            estimates={"point": np.array(errors)},
            extra={"gender": ["f", "m", "f", "m"]},
        )
    tables = json.loads(render(load_tables(tmp_path, group_by="gender"), "json"))
    assert {
        table["facts"]["gender"]: {row["head"]: row["cells"][0]["mean"] for row in table["rows"]}
        for table in tables
    } == {"f": {"linear": 2.0, "coral": 2.0}, "m": {"linear": 3.0, "coral": 5.0}}
    assert "gender f" in tables[0]["caption"]
    with pytest.raises(SpecError, match="no attribute 'age'; available: gender"):
        load_tables(tmp_path, group_by="age")
    with pytest.raises(SpecError, match="--significance and --group-by exclude each other"):
        load_tables(tmp_path, group_by="gender", significance=True)
    archive = tmp_path / "archive"
    archive.mkdir()
    write_archive(read_records(tmp_path), archive / ARCHIVE)
    with pytest.raises(StoreError, match="is an archive, which holds no predictions"):
        load_tables(archive, group_by="gender")
