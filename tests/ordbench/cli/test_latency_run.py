import json
import re
from collections.abc import Iterator

import pytest

from ordbench.cli.latency import run
from ordbench.errors import SpecError
from ordbench.latency.builders import HeadBuilder
from ordbench.latency.compare import Comparison, compare
from ordbench.latency.setting import LatencySetting

GRID = [LatencySetting(batch=batch, num_ranks=3, in_features=8) for batch in (1, 2)]


def test_tables_are_printed_whole_and_the_json_says_the_same(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run(GRID, ["coral"], seconds=0)
    printed = capsys.readouterr().out
    lines = [line for line in printed.splitlines() if re.match(r"\|\w", line)]
    rows = [line.split("|")[1:3] for line in lines]
    assert [[cell.strip() for cell in row] for row in rows] == [
        ["head", "N"],
        ["linear", "1"],
        ["coral", "1"],
        ["linear", "2"],
        ["coral", "2"],
    ]
    assert " 1 thread on " in printed
    run(GRID, ["coral"], seconds=0, as_json=True)
    names = [one["params"]["head"] for one in json.loads(capsys.readouterr().out)["benchmarks"]]
    assert names == ["linear", "coral"] * 2


def test_who_stops_it_sees_what_there_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(
        grid: list[LatencySetting], bench: HeadBuilder, *, seconds: float, threads: int
    ) -> Iterator[Comparison]:
        yield from compare(grid[:1], bench, seconds=seconds, threads=threads)
        raise KeyboardInterrupt

    monkeypatch.setattr("ordbench.latency.compare.compare", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(GRID, ["coral"], seconds=0)
    assert "|coral" in capsys.readouterr().out
    with pytest.raises(KeyboardInterrupt):
        run(GRID, ["coral"], seconds=0, as_json=True)
    assert len(json.loads(capsys.readouterr().out)["benchmarks"]) == 2


@pytest.mark.parametrize(
    ("head", "setting", "message"),
    [
        ("ordinalclip:base_ranks=0", GRID[0], "base_ranks=0 must be at least 1"),
        ("coral", LatencySetting(stage="with-text"), "none of these heads uses a text encoder"),
    ],
)
def test_where_no_head_that_was_asked_for_can_be_timed_it_is_an_error(
    head: str, setting: LatencySetting, message: str
) -> None:
    with pytest.raises(SpecError, match=message):
        run([setting], [head], seconds=0)


def test_one_head_that_cannot_be_timed_stops_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    run(GRID[:1], ["coral", "ordinalclip:base_ranks=0"], seconds=0)
    assert "not timed: ordinalclip:base_ranks=0: " in capsys.readouterr().out
