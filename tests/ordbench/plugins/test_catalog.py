import re

import pytest

from ordbench.cli.ls import _show
from ordbench.plugins.catalog import Entry, Kind, entries
from ordbench.plugins.registry import BACKBONES, DATASETS, HEADS, PROTOCOLS


@pytest.mark.parametrize(
    ("kind", "names"),
    [("heads", HEADS), ("datasets", DATASETS), ("backbones", BACKBONES), ("protocols", PROTOCOLS)],
)
def test_every_plugin_has_title_source_and_needs(kind: Kind, names: list[str]) -> None:
    rows = entries(kind)
    assert [row.name for row in rows] == list(names)
    assert all(row.title and row.source and row.needs and not row.broken for row in rows), rows


def test_a_metric_says_which_end_is_best_and_what_it_is_measured_in() -> None:
    rows = {row.name: row for row in entries("metrics")}
    assert rows["mae"].title == "MAE [units of the dataset], lower is better"
    assert rows["mae"].needs == "nothing"
    assert rows["ece"].needs == "a posterior"


URL = f"https://example.org/{'long/' * 60}"


def test_a_file_gets_whole_lines(capsys: pytest.CaptureFixture[str]) -> None:
    _show([Entry("faces", "Faces", "Doe, 2020", f"the archive at {URL}")])
    _, line = capsys.readouterr().out.splitlines()
    assert line.split(maxsplit=2)[2] == f"the archive at {URL}"


def test_a_terminal_gets_long_cells_folded_and_names_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "80"}.items():
        monkeypatch.setenv(name, value)
    _show([Entry("a-long-name-of-a-dataset", "Faces", "", URL), Entry("bad", "", "", "", "gone")])
    shown = capsys.readouterr().out
    assert "a-long-name-of-a-dataset" in shown
    assert "broken: gone" in shown
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert max(map(len, plain.splitlines())) <= 80
    assert "\N{HORIZONTAL ELLIPSIS}" not in shown
    assert "".join(line.split()[-1] for line in shown.splitlines()[1:-1]).endswith("long/long/")
