import csv
import gc
import io
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ordbench.cli import table as tabling
from ordbench.cli.main import app
from ordbench.errors import SpecError, StoreError, UnknownPluginError
from ordbench.leaderboard import loading
from ordbench.leaderboard.formats import render
from ordbench.leaderboard.loading import load_tables
from ordbench.results.rows import CellRuns, RunRow, group_by_cell

FlatRun = Callable[..., RunRow]


def test_the_text_is_of_the_runs_asked_for(
    flat_run: FlatRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [flat_run("coral", 1.5), flat_run("linear", 2.5), flat_run("coral", 3.5, shots=4)]
    monkeypatch.setattr(loading, "load_cells", lambda path, scores: group_by_cell(runs))

    def table_text(**asked: Any) -> str:  # noqa: ANN401
        return render(load_tables("results", **asked), "csv")

    text = table_text(head=["coral"], shots=["all"])
    (line,) = csv.DictReader(io.StringIO(text))
    assert [line[name] for name in ("head", "column", "mean")] == ["coral", "all", "1.5"]
    runs += [flat_run("coral", 4.5, fold=1), flat_run("coral", 6.0, fold=2)]
    two = partial(table_text, shots=["all"], fold=["0,1"])
    assert len(two(head=["coral"]).splitlines()) == 3
    (pooled,) = csv.DictReader(io.StringIO(two(head=["coral"], pool_folds=True)))
    assert [pooled[name] for name in ("mean", "std", "runs")] == ["3.0", "2.1213203435596424", "2"]
    with pytest.raises(UnknownPluginError, match="unknown metric 'maee'"):
        table_text(metric="maee")


def test_latex_cites_the_papers_that_are_written_beside_it(tmp_path: Path) -> None:
    demo, file = str(Path(__file__).parents[3] / "results" / "demo"), tmp_path / "papers.bib"
    chosen = ["table", demo, "--dataset", "drawn-faces", "--head", "coral"]
    latex = ["--format", "latex", "--bibtex", str(file), "--appendix"]
    shown = CliRunner().invoke(app, [*chosen, *latex])
    assert shown.exit_code == 0
    assert r"coral~\cite{cao2020rank} &" in shown.stdout
    assert r"\begin{longtable}" in shown.stdout
    papers = CliRunner().invoke(app, [*chosen, "--format", "bibtex"]).stdout
    assert file.read_text("utf-8") == papers
    with pytest.raises(SpecError, match=r"--appendix is written in LaTeX; add --format latex"):
        CliRunner().invoke(app, [*chosen, "--appendix"], catch_exceptions=False)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, str]]:
    """The folder and the format that the command asked for."""
    calls: list[tuple[Path, str]] = []

    def load(results: Path, **others: object) -> list[Path]:
        return [results]

    def show(tables: list[Path], format: str) -> str:
        calls.append((tables[0], format))
        return ""

    monkeypatch.setattr(tabling, "load_tables", load)
    monkeypatch.setattr(tabling, "render", show)
    return calls


@pytest.mark.parametrize(
    ("arguments", "folder", "format"),
    [
        ([], "results", "rich"),
        (["mine"], "mine", "rich"),
        (["--results", "mine", "--json"], "mine", "json"),
        (["mine", "--results", "mine", "--format", "json", "--json"], "mine", "json"),
        (["--format", "csv"], "results", "csv"),
    ],
)
def test_the_folder_is_an_argument_or_an_option_and_json_a_format(
    arguments: list[str], folder: str, format: str, asked: list[tuple[Path, str]]
) -> None:
    assert CliRunner().invoke(app, ["table", *arguments]).exit_code == 0
    assert asked == [(Path(folder), format)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["mine", "--results", "other"], "two folders of records: mine and --results other"),
        (["--json", "--format", "csv"], "--json and --format csv exclude each other"),
    ],
)
def test_two_answers_to_one_question_are_refused(
    arguments: list[str], message: str, asked: list[tuple[Path, str]]
) -> None:
    done = CliRunner().invoke(app, ["table", *arguments])
    assert isinstance(done.exception, SpecError)
    assert message in str(done.exception)
    assert asked == []


def test_the_collector_rests_and_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []

    def broken(path: Path, scores: object) -> list[CellRuns]:
        seen.append(gc.isenabled())
        raise StoreError("no records")

    monkeypatch.setattr(loading, "load_cells", broken)
    with pytest.raises(StoreError):
        load_tables("results")
    assert gc.isenabled()
    gc.disable()
    try:
        with pytest.raises(StoreError):
            load_tables("results")
        assert not gc.isenabled()
    finally:
        gc.enable()
    assert seen == [False, False]


def test_a_table_loads_neither_numpy_nor_pydantic() -> None:
    program = (
        "import sys, ordbench.cli.table;"
        "print({'torch', 'numpy', 'pandas', 'pydantic', 'rich'} & set(sys.modules))"
    )
    got = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (got.stdout, got.stderr) == ("set()\n", "")
