import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from ordbench.leaderboard.appendix import to_appendix
from ordbench.leaderboard.bibliography import Bibliography
from ordbench.leaderboard.latex import labels_of, to_latex
from ordbench.leaderboard.loading import load_tables
from ordbench.leaderboard.table import Table
from ordbench.results.rows import RunRow
from tests.ordbench.conftest import build

FlatRun = Callable[..., RunRow]
DEMO = Path(__file__).parents[3] / "results" / "demo"


@pytest.fixture
def tables(flat_run: FlatRun) -> list[Table]:
    """A table with spreads, one with intervals and signs, and one of datasets."""
    values = {"coral": [3.0, 3.5, 4.0], "linear": [4.0, 4.25, 4.5], "emd": [30.0, 50.0, 20.0]}
    runs = [
        flat_run(head, mae, label=f"[{head}_%]", seed=seed, baseline={"mae": 60.0 + seed})
        for head, values in values.items()
        for seed, mae in enumerate(values)
    ]
    runs += [flat_run("coral", 5.0, seed=seed, dataset="morph", image_hash="i1") for seed in (0, 1)]
    (plain,) = build([run for run in runs if run.dataset == "fgnet"])
    (close,) = build([run for run in runs if run.dataset == "fgnet"], interval=True)
    rows = [
        replace(
            row, cells=tuple(cell and replace(cell, distinguishable=False) for cell in row.cells)
        )
        for row in close.rows
    ]
    return [plain, replace(close, rows=tuple(rows)), *build(runs, columns="dataset")]


def test_numbers_are_given_to_siunitx_with_the_room_that_they_need(tables: list[Table]) -> None:
    text = to_latex(tables)
    assert "S[table-format=2.2(4)]" in text
    assert r"{[}coral\_\%{]} & \bfseries 3.50 \pm 0.50 \\" in text
    assert r"& 4.25 \pm 0.25 {\runnerup{4.25 \pm 00.25}} \\" in text, "as wide as 15.28"


def test_intervals_and_marks_follow_their_number(tables: list[Table]) -> None:
    (line,) = [line for line in to_latex(tables[1:2]).splitlines() if "emd" in line]
    assert line.endswith(r"& 33.33 {\mdseries\ {[}$-$4.61, 71.28{]}\,$\approx$} \\")


def test_heads_datasets_backbones_and_protocols_are_cited(tables: list[Table]) -> None:
    text = to_latex(tables, Bibliography(tables))
    assert r"{[}coral\_\%{]}~\cite{cao2020rank} &" in text
    assert r"dataset FG-NET (fgnet)~\cite{panis2016overview};" in text
    assert r"{morph~\cite{ricanek2006morph}}" in text
    assert r"protocol standard~\cite{zhou2022learning};" in text
    assert r"\cite" not in to_latex(tables)


def test_every_table_has_a_label_of_its_own(tables: list[Table]) -> None:
    assert labels_of(tables) == [
        "tab:mae-fgnet-clip-tiny-standard-0",
        "tab:mae-fgnet-clip-tiny-standard-0-no-2",
        "tab:mae-datasets-all-clip-tiny-standard-0",
    ]


def test_the_appendix_says_once_what_all_heads_share() -> None:
    tables = load_tables(DEMO, dataset=["drawn-faces"], head=["coral", "coop"])
    text = to_appendix(tables, DEMO)
    shared, *own = re.findall(r"^    ([\w ]+ & \\emph.*) \\\\$", text, re.MULTILINE)
    assert [line.split(" & ")[0] for line in (shared, *own)] == ["all heads", "coral", "coop"]
    for name in ("tuning budget", "images", "backbone weights", "seeds (data/train)", "torch"):
        assert rf"\emph{{{name}}} " in shared
    for line in own:
        assert r"\emph{recipe} batch\_size " in line
        assert r"\emph{head source} " in line
        assert "torch 2" not in line


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_a_page_with_these_packages_alone_compiles(tables: list[Table], tmp_path: Path) -> None:
    packages = r"\usepackage{booktabs,siunitx,caption,array,longtable}"
    nasty = "".join(map(chr, range(32, 127))) + "é±\N{ALMOST EQUAL TO}\x1b"
    tables = [replace(tables[0], columns=(nasty,)), *tables]
    demo = load_tables(DEMO, dataset=["drawn-faces"], head=["coral", "coop"])
    papers = Bibliography([*tables, *demo])
    body = to_latex([*tables, *demo], papers) + to_appendix(demo, DEMO)
    end = r"\bibliographystyle{plain}\bibliography{papers}"
    page = rf"\documentclass{{article}}{packages}\begin{{document}}{body}{end}\end{{document}}"
    (tmp_path / "page.tex").write_text(page, "utf-8")
    (tmp_path / "papers.bib").write_text(str(papers), "utf-8")
    latex = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-draftmode", "page"]
    for command in (latex, ["bibtex", "page"], latex, latex):
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
    assert "undefined" not in done.stdout
