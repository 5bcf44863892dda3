"""Leaderboards of a page: the numbers, marks and captions of `ordbench table`."""

import csv
import io
import json
from pathlib import Path

from ordbench.leaderboard.formats import render
from ordbench.leaderboard.loading import load_tables
from ordbench.leaderboard.note_texts import MISSING
from ordbench.report.html.boards import boards
from ordbench.report.html.content import Report
from ordbench.utils.text import printable
from tests.ordbench.conftest import FlatRun, build


def test_numbers_marks_captions_and_notes_are_those_of_the_table(
    hostile: Path, report: Report
) -> None:
    tables = load_tables(hostile, significance=True)
    (wanted,) = json.loads(render(tables, "json"))
    (board,) = report.folders[0].boards
    assert [row.label for row in board.rows] == [row["head"] for row in wanted["rows"]]
    assert board.table.caption == wanted["caption"]
    assert board.notes == wanted["notes"]
    lines = list(csv.DictReader(io.StringIO(render(tables, "csv"))))
    for row in board.rows:
        for column, cell in zip(board.table.columns, row.cells, strict=True):
            place = (printable(row.label), column)
            (line,) = [one for one in lines if (one["head"], one["column"]) == place]
            assert cell.mean == f"{float(line['mean']):.2f}"
            assert cell.spread == f" ± {float(line['std']):.2f}"
            assert cell.mark == line["mark"]
            assert cell.close == (line["distinguishable"] == "no")
            assert cell.value == float(line["mean"])


def test_empty_cells_and_numbers_of_runs_are_said(flat_run: FlatRun) -> None:
    runs = [flat_run("coral", 8.0, shots=1, seed=seed) for seed in range(2)]
    runs += [flat_run("linear", 8.0, shots=1), flat_run("linear", 7.0, shots=4)]
    (board,) = boards(build(runs), "x")
    cells = {row.label: row.cells for row in board.rows}
    assert cells["coral"][0].spread == " ± 0.00 (2/2)"
    assert cells["coral"][1].mean == MISSING
    assert cells["coral"][1].value is None
    assert cells["linear"][1].spread == " (1/2)"


def test_titles_tell_boards_apart(flat_run: FlatRun) -> None:
    one = flat_run("coral", 8.0)
    other = flat_run("coral", 9.0, backbone="timm:resnet50", backbone_hash="b1")
    shown = boards(build([one, other]), "x")
    assert [board.title for board in shown] == [
        "FG-NET (fgnet), backbone clip:tiny",
        "FG-NET (fgnet), backbone timm:resnet50",
    ]
    assert len({board.id for board in shown}) == 2
