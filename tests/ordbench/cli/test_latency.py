import json

import pytest
from typer.testing import CliRunner

from ordbench.cli import latency as latency_run
from ordbench.cli.main import app
from ordbench.errors import SpecError
from ordbench.latency.setting import LatencySetting


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[tuple[object, ...], dict[str, object]]]:
    """What the command asked `run` for, which does nothing."""
    calls: list[tuple[tuple[object, ...], dict[str, object]]] = []
    monkeypatch.setattr(latency_run, "run", lambda *args, **options: calls.append((args, options)))
    return calls


def test_by_default_all_heads_are_deployed_at_the_sizes_of_the_claim(
    asked: list[tuple[tuple[object, ...], dict[str, object]]],
) -> None:
    assert CliRunner().invoke(app, ["latency", "--device", "cpu"]).exit_code == 0
    ((grid, heads), options), *more = asked
    assert grid == [
        LatencySetting(in_features=d, batch=n) for d in (512, 1024) for n in (1, 32, 1024)
    ]
    assert (heads, more) == (["all"], [])
    assert options == {"seconds": 2.0, "threads": 1, "as_json": False}


def test_every_option_reaches_what_it_names(
    asked: list[tuple[tuple[object, ...], dict[str, object]]],
) -> None:
    line = (
        "latency --head coral,coop --stage train --runtime compile --batch 8 --ranks 7 "
        "--features 16 --dtype float64 --device cpu --text clip:tiny --seconds 0.5 --threads 2 "
        "--json"
    )
    assert CliRunner().invoke(app, line.split()).exit_code == 0
    [((grid, heads), options)] = asked
    assert grid == [
        LatencySetting(
            stage="train",
            runtime="compile",
            batch=8,
            num_ranks=7,
            in_features=16,
            dtype="float64",
            device="cpu",
            text="clip:tiny",
        )
    ]
    assert heads == ["coral,coop"]
    assert options == {"seconds": 0.5, "threads": 2, "as_json": True}


def test_a_small_grid_is_timed_and_printed_as_tables_or_as_json() -> None:
    line = "latency --head coral --batch 2 --ranks 3 --features 8 --device cpu --seconds 0"
    done = CliRunner().invoke(app, line.split())
    assert done.exit_code == 0, done.output
    assert "|coral" in done.output
    done = CliRunner().invoke(app, [*line.split(), "--json"])
    assert done.exit_code == 0, done.output
    assert [one["params"]["head"] for one in json.loads(done.stdout)["benchmarks"]] == [
        "linear",
        "coral",
    ]


def test_a_wrong_name_is_an_error_of_one_line() -> None:
    done = CliRunner().invoke(app, ["latency", "--stage", "shipped"])
    assert isinstance(done.exception, SpecError)
    assert str(done.exception) == ("--stage shipped: wanted 'deployed', 'with-text' or 'train'")
