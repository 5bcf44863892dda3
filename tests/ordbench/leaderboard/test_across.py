"""The order of heads over the datasets of a table."""

import json
import re
from collections.abc import Callable

from ordbench.leaderboard import build as leaderboard
from ordbench.leaderboard.formats import render
from ordbench.leaderboard.query import ask
from ordbench.leaderboard.table import Table
from ordbench.results.rows import RunRow, group_by_cell
from tests.ordbench.conftest import build, said

FlatRun = Callable[..., RunRow]


def table(flat_run: FlatRun, scores: dict[str, list[float | None]], **asked: object) -> Table:
    """A column for each dataset; None for a missing run."""
    runs = [
        flat_run(head, mae, shots=1, dataset=f"d{at}", title=f"D{at}", image_hash=f"i{at}")
        for head, values in scores.items()
        for at, mae in enumerate(values)
        if mae is not None
    ]
    (made,) = build(runs, columns="dataset", **asked)
    return made


def test_heads_are_in_the_order_of_their_mean_ranks(flat_run: FlatRun) -> None:
    made = table(flat_run, {"a": [2.0, 2.0], "b": [1.0, 3.0], "c": [1.0, 1.0]})
    assert [(row.label, row.standing and row.standing.mean_rank) for row in made.rows] == [
        ("c", 1.25),
        ("b", 2.25),
        ("a", 2.5),
    ]
    assert [row.standing and row.standing.borda for row in made.rows] == [0.875, 0.375, 0.25]
    notes = said(made.notes)
    assert "ranks are not tested: 2 datasets and 3 heads, and 6 datasets and 3 heads are the" in (
        " ".join(notes)
    )


def test_a_head_with_a_missing_cell_has_no_rank_and_changes_none(flat_run: FlatRun) -> None:
    scores: dict[str, list[float | None]] = {"a": [2.0, 2.0], "b": [1.0, 3.0]}
    made = table(flat_run, {**scores, "best": [None, 0.5]})
    assert [row.label for row in made.rows] == ["a", "b", "best"]
    whole = [row.standing for row in made.rows]
    assert whole == [*(row.standing for row in table(flat_run, scores).rows), None]
    assert "none for a head without a cell in every column" in " ".join(said(made.notes))
    (line,) = [one for one in render([made], "markdown").splitlines() if "`best`" in one]
    assert line.endswith("| \N{EN DASH} | \N{EN DASH} | \N{EN DASH} |")


def test_a_dataset_that_nobody_could_run_changes_no_rank(flat_run: FlatRun) -> None:
    whole: dict[str, list[float | None]] = {"a": [2.0, 2.0], "b": [1.0, 3.0], "c": [1.0, 1.0]}
    runs = [
        flat_run(head, mae, shots=1, dataset=f"d{at}", title=f"D{at}", image_hash=f"i{at}")
        for head, values in whole.items()
        for at, mae in enumerate(values)
    ]
    none: dict[str, object] = {"status": "skipped", "image_hash": "", "head_hash": ""}
    gone = [flat_run(head, shots=1, dataset="morph", error="missing", **none) for head in whole]
    (made,) = leaderboard.build(
        group_by_cell(runs), ask("mae", "median", "dataset", pool_folds=False), gone
    )
    assert len(made.columns) == 3
    standings = {row.label: row.standing for row in made.rows}
    assert standings == {row.label: row.standing for row in table(flat_run, whole).rows}
    assert "2 datasets and 3 heads" in " ".join(said(made.notes))


def test_six_datasets_are_tested(flat_run: FlatRun) -> None:
    ordered = {name: [1.0 + at] * 6 for at, name in enumerate("abcd")}
    made = table(flat_run, {name: [*values] for name, values in ordered.items()})
    (note,) = [note for note in said(made.notes) if note.startswith("Friedman")]
    # 18 of Friedman's chi-squared with 3 degrees of freedom; 2.569 * sqrt(4 * 5 / 36).
    assert note == (
        "Friedman's test of ranks: p = 0.00044; critical difference of mean ranks 1.91 "
        "(Nemenyi, alpha 0.05)"
    )
    (read,) = json.loads(render([made], "json"))
    standing = read["rows"][0]["standing"]
    assert (standing["mean_rank"], standing["borda"]) == (1.0, 1.0)
    low, high = standing["elo_interval"]
    assert low <= standing["elo"] <= high
    shown = render([made], "rich")
    assert shown.splitlines()[2].split()[-3:] == ["rank", "Borda", "Elo"]
    assert re.search(r"\\begin\{tabular\}\{l(S\[[^]]*\]){6}rrr\}", render([made], "latex"))


def test_one_dataset_and_unranked_runs_have_no_standings(flat_run: FlatRun) -> None:
    one = table(flat_run, {"a": [1.0], "b": [2.0]})
    assert [row.standing for row in one.rows] == [None, None]
    runs = [
        flat_run(head, 1.0, dataset=name, protocol="paper", ranked=False)
        for head in ("a", "b")
        for name in ("d0", "d1")
    ]
    (unranked,) = build(runs, columns="dataset")
    assert [row.standing for row in unranked.rows] == [None, None]
