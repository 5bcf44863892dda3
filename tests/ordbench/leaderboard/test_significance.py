"""Marks of what is not distinguishable from the best, from stored predictions."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ordbench.errors import SpecError, StoreError
from ordbench.leaderboard.build import build
from ordbench.leaderboard.formats import render
from ordbench.leaderboard.query import ask
from ordbench.leaderboard.significance import ColumnTest, Significance
from ordbench.leaderboard.table import Table
from ordbench.plugins.registry import find_metric
from ordbench.results.archive import write_archive
from ordbench.results.layout import ARCHIVE
from ordbench.results.loading import load_cells, read_records
from ordbench.statistics.paired import Paired
from tests.ordbench.conftest import said

Write = Callable[..., Path]
IMAGES = 200


def shown(root: Path) -> Table:
    query = ask()
    test = Significance(root, query.metric, query.decode)
    (table,) = build(load_cells(root), query, test=test)
    return table


def marks(table: Table) -> dict[str, bool | None]:
    return {row.label: row.cells[0] and row.cells[0].distinguishable for row in table.rows}


def test_equal_heads_are_marked_and_worse_ones_are_not(write: Write, tmp_path: Path) -> None:
    for seed in range(5):
        write("linear", seed)
        write("coral", seed, worse=0.05)
        write("emd", seed, worse=5.0)
    table = shown(tmp_path)
    assert marks(table) == {"linear": None, "coral": False, "emd": True}
    markdown = render([table], "markdown")
    (line,) = [line for line in markdown.splitlines() if "`coral`" in line]
    assert line.endswith("</ins> ≈ |")
    assert "≈ not distinguishable from the best of its column: p of at least 0.05 by" in markdown
    assert r"\,$\approx$} \\" in render([table], "latex")
    (read,) = json.loads(render([table], "json"))
    assert [pair["heads"] for pair in read["pairs"]] == [
        ["coral", "emd"],
        ["coral", "linear"],
        ["emd", "linear"],
    ]
    assert read["pairs"][0]["difference"] == pytest.approx(-5.0, abs=0.2)
    assert read["pairs"][1]["units"] == IMAGES


def test_heads_without_comparable_predictions_are_named(
    write: Write, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write("linear", 0)
    write("coral", 0)
    write("emd", 0, worse=1.0, images=50)
    write("corn", 0, worse=1.0).with_suffix(".parquet").unlink()
    table = shown(tmp_path)
    assert set(marks(table).values()) == {None, False}
    notes = said(table.notes)
    assert "not tested: emd (tested on other images)" in notes
    assert "tested over images alone where heads share one seed" in notes
    assert "not tested: corn (no usable predictions)" in notes
    assert "corn is not tested: " in caplog.text
    assert "does not hold the predictions of run" in caplog.text


def test_a_column_whose_best_head_was_not_tested_has_no_marks(write: Write, tmp_path: Path) -> None:
    for head in ("coral", "emd"):
        write(head, 0)
    write("linear", 0, worse=-1.0, images=50)
    table = shown(tmp_path)
    assert set(marks(table).values()) == {None}
    notes = said(table.notes)
    assert "not tested, as the best head was not: all" in notes
    assert not [note for note in notes if note.startswith("≈")]


def test_what_cannot_be_tested_is_refused(write: Write, tmp_path: Path) -> None:
    write("linear", 0)
    with pytest.raises(SpecError, match="'qwk' is no mean over test images"):
        Significance(tmp_path, find_metric("qwk"), "median")
    archive = tmp_path / "archive"
    archive.mkdir()
    write_archive(read_records(tmp_path), archive / ARCHIVE)
    with pytest.raises(StoreError, match="is an archive, which holds no predictions"):
        Significance(archive, find_metric("mae"), "median")


def test_holm_is_over_the_comparisons_with_the_best() -> None:
    def pair(p_value: float | None) -> Paired:
        return Paired(0.0, 0.0, 0.0, None, None, p_value, 0.0, None, 1, 1, 1)

    p_values = {("a", "b"): 0.03, ("b", "c"): 0.02, ("b", "d"): None, ("a", "c"): 0.001}
    test = ColumnTest({heads: pair(p_value) for heads, p_value in p_values.items()})
    assert test.distinguishable("b") == {"a": True, "c": True}, "2 * 0.02 and 0.03"
    assert test.distinguishable("a") == {"b": True, "c": True}, "0.03 and 2 * 0.001"
    assert test.distinguishable("d") == {}


def test_people_who_repeat_are_said_to_be_drawn_together(write: Write, tmp_path: Path) -> None:
    for head in ("linear", "coral"):
        write(head, 0, groups=[str(index // 2) for index in range(IMAGES)])
    said = render([shown(tmp_path)], "markdown")
    assert "test images of one person, and identical ones, are drawn together" in said
