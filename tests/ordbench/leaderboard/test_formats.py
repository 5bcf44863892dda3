import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from ordbench.leaderboard.formats import FORMATS, render, to_rich
from ordbench.leaderboard.table import Table
from ordbench.results.rows import RunRow
from tests.ordbench.conftest import build

FlatRun = Callable[..., RunRow]

GOLDEN = Path(__file__).parent / "golden"
NASTY = 'coop:context="a|b_[bold]c & 50%"'


@pytest.fixture
def table(flat_run: FlatRun) -> Table:
    scores = {
        (NASTY, 1): [4.0, 5.0, 6.0],
        (NASTY, 2): [3.0, 3.5, 4.0],
        ("linear", 1): [5.0],
        ("linear", 2): [4.0, 4.25, 4.5],
        ("coral", 2): [6.0, 6.0, 6.0],
    }
    runs = [
        flat_run(head, mae, shots=shots, seed=seed, baseline={"mae": 8.0 + seed})
        for (head, shots), values in scores.items()
        for seed, mae in enumerate(values)
    ]
    (made,) = build(runs)
    return made


def plain(table: Table, width: int = 100) -> str:
    console = Console(width=width, file=io.StringIO(), force_terminal=False)
    text = render([table], "rich", console=console)
    return "\n".join(line.rstrip() for line in text.splitlines())


def test_a_terminal_shows(table: Table) -> None:
    assert plain(table) + "\n" == (GOLDEN / "leaderboard.txt").read_text("utf-8")


@pytest.mark.parametrize(
    ("format", "suffix"),
    [
        ("markdown", "md"),
        ("latex", "tex"),
        ("csv", "csv"),
        ("json", "json"),
    ],
)
def test_a_rendering_is_the_one_that_was_read_and_found_good(
    table: Table, format: str, suffix: str
) -> None:
    assert render([table], format) == (GOLDEN / f"leaderboard.{suffix}").read_text("utf-8")


def test_best_is_bold_and_second_best_underlined_on_a_terminal(table: Table) -> None:
    console = Console(
        width=100, file=io.StringIO(), force_terminal=True, color_system="standard", no_color=False
    )
    text = render([table], "rich", console=console)
    assert "\x1b[1m3.50±0.50\x1b[0m (3/3)" in text
    assert "\x1b[4m4.25±0.25\x1b[0m (3/3)" in text
    assert "\x1b[1m9" not in text, "the train median is not marked"


def test_a_narrow_terminal_breaks_the_caption_and_no_row(table: Table) -> None:
    wide, narrow = (plain(table, width).splitlines() for width in (100, 40))
    first, last = wide.index(""), len(wide) - wide[::-1].index("")
    start = narrow.index("")
    assert narrow[start : start + last - first] == wide[first:last]
    assert max(map(len, narrow[:start])) <= 40


@pytest.mark.parametrize("metric", ["mae", "accuracy"])
def test_six_heads_at_five_shots_fit_into_80_columns(flat_run: FlatRun, metric: str) -> None:
    scores = {"mae_median": 4.84, "accuracy_median": 0.5}
    runs = [
        flat_run(
            head,
            metrics={name: value + seed / 10 for name, value in scores.items()},
            shots=shots,
            seed=seed,
            baseline={"mae": 22.5, "accuracy": 0.25},
        )
        for head in ("coop", "zeroshot", "linear", "mean-variance", "ordinalclip", "coral")
        for shots in (1, 2, 4, 8, 16)
        for seed in range(2)
    ]
    (made,) = build(runs, metric=metric)
    shown = plain(made, width=80).splitlines()
    (line,) = [line for line in shown if line.startswith("mean-variance ")]
    assert line.split()[1:] == [{"mae": "4.89±0.07", "accuracy": "0.550±0.071"}[metric]] * 5
    assert any(line.startswith("train median ") for line in shown)
    assert max(map(len, shown)) <= 80


def test_the_same_count_everywhere_is_said_once(flat_run: FlatRun) -> None:
    tables = build([flat_run(mae=float(seed), seed=seed) for seed in range(3)])
    text = render(tables, "markdown")
    assert "over 3 seeds" in text
    assert "(3)" not in text


def test_one_seed_has_no_spread(flat_run: FlatRun) -> None:
    text = render(build([flat_run(mae=5.966)]), "markdown")
    assert "one seed" in text
    assert "| 5.97 |" in text
    assert "±" not in text


def test_a_negative_score_has_its_sign_and_zero_has_none(flat_run: FlatRun) -> None:
    scores = {"below": -0.25, "zero": -0.0001}
    runs = [flat_run(head, metrics={"qwk_median": value}) for head, value in scores.items()]
    assert "| `below` | <ins>-0.250</ins> |" in render(build(runs, metric="qwk"), "markdown")
    assert "| `zero` | **0.000** |" in render(build(runs, metric="qwk"), "markdown")
    latex = render(build(runs, metric="qwk"), "latex")
    assert r"below & -0.250 {\runnerup{-0.250}} \\" in latex
    assert "S[table-format=-1.3]" in latex


@pytest.mark.parametrize("format", sorted({*FORMATS} - {"json", "bibtex"}))
def test_a_name_cannot_steer_the_terminal_or_break_its_line(flat_run: FlatRun, format: str) -> None:
    tables = build([flat_run("coral", 1.0, label="\x1b[31mred\nline", title="\x1b]0;own\x07")])
    text = render(tables, format)
    assert not {"\x1b", "\x07"} & set(text)
    assert "red\nline" not in text
    assert ("red?line" if format == "latex" else "red\ufffdline") in text


def test_a_table_is_something_that_rich_can_print(table: Table) -> None:
    console = Console(width=100, file=io.StringIO(), record=True)
    console.print(to_rich(table))
    assert NASTY in console.export_text()


def test_several_tables_follow_each_other(flat_run: FlatRun) -> None:
    tables = build([flat_run(mae=1.0), flat_run(mae=2.0, fold=1)])
    assert render(tables, "markdown").count("\n\nMAE") == 1
    assert render(tables, "latex").count("\\end{table}\n\n\\begin{table}") == 1
    assert len(json.loads(render(tables, "json"))) == 2
    lines = list(csv.DictReader(io.StringIO(render(tables, "csv"))))
    assert [(line["fold"], line["mean"]) for line in lines] == [("0", "1.0"), ("1", "2.0")]


def test_csv_and_json_hold_no_number_for_a_missing_cell(table: Table) -> None:
    lines = csv.DictReader(io.StringIO(render([table], "csv")))
    (missing,) = [line for line in lines if (line["head"], line["column"]) == ("coral", "1-shot")]
    assert [missing[name] for name in ("mean", "std", "runs", "mark")] == ["", "", "0", ""]
    (read,) = json.loads(render([table], "json"))
    cells = {row["head"]: row["cells"] for row in read["rows"]}
    assert cells["coral"][0] is None


def test_csv_and_json_hold_full_precision(flat_run: FlatRun) -> None:
    tables = build([flat_run(mae=1 / 3)])
    assert json.loads(render(tables, "json"))[0]["rows"][0]["cells"][0]["mean"] == 1 / 3
    (line,) = csv.DictReader(io.StringIO(render(tables, "csv")))
    assert float(line["mean"]) == 1 / 3
