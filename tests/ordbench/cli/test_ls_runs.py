"""`ordbench ls runs`: which runs a folder holds, in one process."""

import json
import math
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ordbench.cli.main import app
from ordbench.errors import OrdbenchError, SpecError
from ordbench.results.archive import write_archive
from ordbench.results.store import Store
from ordbench.runs.record import TrainingFacts
from ordbench.runs.spec import RunSpec
from tests.ordbench.conftest import done, failed


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two runs of four shots, one of all images with odd seeds, and a failure."""
    store = Store(tmp_path)
    few = RunSpec(head="coral", dataset="fgnet", shots=4)
    second = few.model_copy(update={"data_seed": 1, "train_seed": 1})
    diverged = TrainingFacts(steps=1, best_step=0, val_mae=math.inf, parameters=6)
    store.write(done(1, spec=second, metrics={"point": {}}))
    store.write(done(0, spec=few, training=diverged, metrics={"median": {"mae": 0.0}}))
    store.write(done(2, spec=RunSpec(head="coral", dataset="fgnet", data_seed=5, train_seed=7)))
    store.write(failed(3))
    return tmp_path


def listed(*arguments: str | Path) -> str:
    call = CliRunner().invoke(app, ["ls", *map(str, arguments)])
    assert call.exit_code == 0, call.output
    return call.output


def test_runs_are_listed_by_shots_and_seeds_with_ids_that_show_run_takes(folder: Path) -> None:
    lines = [line.split() for line in listed("runs", "--results", folder).splitlines()]
    assert lines[0] == ["id", "head", "dataset", "shots", "seed", "MAE", "val", "MAE", "status"]
    ids = [done(seed).run_id[:8] for seed in (0, 1, 3, 2)]
    assert lines[1:] == [
        [ids[0], "coral", "fgnet", "4", "0", "0.00", "inf", "done"],
        [ids[1], "coral", "fgnet", "4", "1", "0.50", "done"],
        [ids[2], "coral", "fgnet", "all", "3/0", "0.50", "failed"],
        [ids[3], "coral", "fgnet", "all", "5/7", "0.25", "0.50", "done"],
    ]
    again = listed("runs", "--results", folder)  # from the index
    assert [line.split() for line in again.splitlines()] == lines


def test_filters_are_those_of_the_table_and_what_differs_has_a_column(folder: Path) -> None:
    spec = RunSpec(head="linear", dataset="fgnet", backbone="timm:resnet50", fold=3)
    Store(folder).write(done(8, label="linear", spec=spec))
    text = listed("runs", "--results", folder)
    assert "backbone" in text
    assert "fold" in text
    text = listed("runs", "--results", folder, "--head", "linear")
    assert text.splitlines()[1].split()[:3] == [done(8).run_id[:8], "linear", "fgnet"]
    assert len(text.splitlines()) == 2
    assert "backbone" not in text


def test_protocols_and_options_of_one_dataset_tell_runs_apart(tmp_path: Path) -> None:
    csv = RunSpec(head="coral", dataset="csv:a.csv:unit=years")
    bins = RunSpec(head="coral", dataset="csv:a.csv:bins=20;40", protocol="kfold:folds=5")
    for seed, spec in enumerate((csv, bins)):
        Store(tmp_path).write(done(seed, spec=spec))
    head, *lines = listed("runs", "--results", tmp_path).splitlines()
    assert head.split()[:4] == ["id", "head", "dataset", "protocol"]
    assert any("csv:a.csv (unit=years)" in line and " standard " in line for line in lines)
    assert any("bins=" in line and " kfold:folds=5 " in line for line in lines)


def test_json_has_whole_ids_and_null_for_what_is_no_number(folder: Path) -> None:
    found = json.loads(listed("runs", "--results", folder, "--json", "--shots", "4"))
    assert [run["run_id"] for run in found] == [done(0).run_id, done(1).run_id]
    assert (found[0]["mae"], found[0]["decode"], found[0]["val_mae"]) == (0.0, "median", None)
    assert (found[1]["mae"], found[1]["decode"], found[1]["val_mae"]) == (None, None, 0.5)


def test_an_archive_has_the_same_list(folder: Path) -> None:
    archive = folder / "all.jsonl.gz"
    write_archive(Store(folder).records(), archive)
    assert listed("runs", "--results", archive) == listed("runs", "--results", folder)


def test_ids_that_begin_alike_are_longer(folder: Path) -> None:
    alike = [done(0).run_id[:10] + 10 * digit for digit in "ab"]
    for run_id in alike:
        Store(folder).write(done(0, run_id=run_id))
    text = listed("runs", "--results", folder)
    assert {run_id[:11] for run_id in alike} < {line.split()[0] for line in text.splitlines()}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["runs", "--results", "nowhere"], "no records in nowhere"),
        (["runs", "--head", "corall"], "no head 'corall' among the records"),
        (["heads", "--head", "coral"], "are of ls runs, not of ls heads"),
    ],
)
def test_what_cannot_be_listed_is_one_line(
    arguments: list[str], message: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    if "--results" not in arguments and arguments[0] == "runs":
        arguments = [*arguments, "--results", str(folder)]
    call = CliRunner().invoke(app, ["ls", *arguments])
    assert isinstance(call.exception, OrdbenchError | SpecError)
    assert message in str(call.exception)
