import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ordbench.cli.main import app
from ordbench.errors import SpecError

Write = Callable[..., Path]


@pytest.fixture
def results(write: Write, tmp_path: Path) -> str:
    for seed in range(2):
        for shots in (1, 2):
            for head, worse in (("linear", 0.0), ("coral", 4.0)):
                write(head, seed, worse=worse, spec={"shots": shots}, train_median=0.0)
    return str(tmp_path)


def printed(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["compare", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_settings_are_lines_and_one_setting_has_details(results: str) -> None:
    lines = printed("coral", "linear", "--results", results).splitlines()
    assert lines[0].startswith("MAE [years], lower is better; decoded by median; dataset FG-NET")
    assert lines[2].split()[:4] == ["shots", "coral", "linear", "difference"]
    assert [line.split()[0] for line in lines[3:5]] == ["1-shot", "2-shot"]
    assert all(line.split()[3].startswith(("+3.", "+4.")) for line in lines[3:5])
    assert "choose one setting" in lines[-1]
    text = printed("coral", "linear", "--results", results, "--shots", "2", "--top", "1")
    assert "\nby true value (p values not adjusted)\n" in text
    assert "\nby distance of the truth from the train median (p values not adjusted)\n" in text
    assert "\nlinear is better on 200 images\n" in text
    assert "\ncoral is better on 0 images\n" in text


def test_json_is_all_that_is_printed(results: str) -> None:
    read = json.loads(printed("coral", "linear", "--results", results, "--json"))
    assert (read["first"], read["second"], read["metric"]) == ("coral", "linear", "mae")
    assert [setting["facts"]["shots"] for setting in read["settings"]] == ["1-shot", "2-shot"]


@pytest.mark.parametrize(
    ("chosen", "said"), [([], "is printed for one setting, got 2"), (["--shots", "2"], "light")]
)
def test_groups_that_cannot_be_shown_are_refused_before_anything_is_printed(
    results: str, chosen: list[str], said: str
) -> None:
    arguments = ["coral", "linear", "--results", results, "--group-by", "light", *chosen]
    done = CliRunner().invoke(app, ["compare", *arguments])
    assert isinstance(done.exception, SpecError)
    assert said in str(done.exception)
    assert done.stdout == ""
