"""`ordbench report`: what is written, and what is refused."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ordbench.cli.main import app
from ordbench.errors import SpecError, StoreError
from ordbench.results.store import Store
from tests.ordbench.report.html.conftest import write_run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    store = Store(tmp_path / "runs of mine")
    for head in ("linear", "coral"):
        for shots in (1, 4):
            write_run(store, head, 0, shots, 2.0 + shots)
    return store.root


def test_a_report_is_written_whole(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "a" / "mine.html"
    typed = ["report", str(folder), "-o", str(page), "--title", "Mine & yours", "--shots", "4"]
    done = CliRunner().invoke(app, typed)
    assert done.exit_code == 0, done.output
    assert re.fullmatch(r"wrote \S+mine\.html \(\d\.\d MB\)\n", done.output)
    text = page.read_text("utf-8")
    assert "<title>Mine &amp; yours</title>" in text
    assert text.endswith("</html>\n")
    assert ">4-shot<" in text
    assert ">1-shot<" not in text


def test_nothing_is_written_where_there_is_nothing_to_show(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "mine.html"
    call = CliRunner().invoke(app, ["report", str(folder), "-o", str(page), "--head", "corl"])
    assert isinstance(call.exception, SpecError)
    assert "no head 'corl' among the records; did you mean coral?" in str(call.exception)
    call = CliRunner().invoke(app, ["report", str(tmp_path / "gone"), "-o", str(page)])
    assert isinstance(call.exception, StoreError)
    assert not page.exists()
