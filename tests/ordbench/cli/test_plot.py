from pathlib import Path
from typing import get_args

import pytest
from typer.testing import CliRunner

from ordbench.cli import plot as plotting
from ordbench.cli.main import app
from ordbench.errors import SpecError
from ordbench.plots import kinds
from tests.conftest import ROOT, Cli

DEMO = ROOT / "results" / "demo"


def test_the_kinds_of_the_command_line_are_those_that_are_drawn() -> None:
    assert get_args(plotting.Kind) == get_args(kinds.Kind)


def test_a_curve_is_written_and_what_its_caption_must_say_is_printed(
    cli: Cli, tmp_path: Path
) -> None:
    done = cli("plot", "curve", DEMO, "--head", "linear,coop", "-o", "figure.svg")
    assert (done.returncode, done.stderr) == (0, "")
    path, faces, fruit = done.stdout.splitlines()
    assert path == "figure.svg"
    assert "95 % t interval over 3 seeds; dataset drawn-faces" in faces
    assert "drawn-fruit" in fruit
    assert (tmp_path / path).read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["curve", "-o", "figure.jpg"], "figure.jpg: a figure is written as"),
        (["curve", "--shots", "4"], "a curve needs two numbers of shots or more"),
        (
            ["critical-difference"],
            "one figure shows one leaderboard, and there are 3: shots 1-shot",
        ),
        (["critical-difference", "--shots", "4"], "needs 6 datasets or more, there are 2"),
        (
            ["critical-difference", "--emphasise", "linear"],
            "--emphasise is of plot curve, not of plot critical-difference",
        ),
        (["images", "--setting", "N=1"], "--setting is of plot latency, not of plot images"),
        (["latency"], "latencies are needed"),
        (["images", "--metric", "qwk"], "--metric is of plot curve, sample-efficiency, critical-"),
        (["rank-error"], "the runs differ in dataset: drawn-faces, drawn-fruit"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    arguments: list[str], message: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    kind, *others = arguments
    done = CliRunner().invoke(app, ["plot", kind, str(DEMO), *others])
    assert isinstance(done.exception, SpecError)
    assert message in str(done.exception)
    assert not [*tmp_path.iterdir()]
