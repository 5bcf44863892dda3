"""What TensorBoard reads of logged runs, by its own reader."""

from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2
from typer.testing import CliRunner

from ordbench.cli.main import app
from ordbench.results.store import Store
from ordbench.trackers.tensorboard import TensorBoard
from ordbench.trackers.tracker import TrackedRun

RUN = TrackedRun(
    run_id="ab" * 10,
    title="coral on FG-NET",
    params={"head": "coral", "recipe.epochs": 50, "shots": None},
    metrics={"mae_median": 4.5, "baseline/mae": 9.0},
    steps=200,
    files={"record": Path("/results/runs/ab/abab.json")},
)


def test_a_run_has_its_settings_scores_and_files(tmp_path: Path) -> None:
    TensorBoard(str(tmp_path)).log(RUN)
    read = EventAccumulator(str(tmp_path / RUN.run_id)).Reload()
    (score,) = read.Scalars("mae_median")
    assert (score.step, score.value) == (200, pytest.approx(4.5))
    assert [one.value for one in read.Scalars("baseline/mae")] == [9.0]
    (told,) = read.Tensors("record/text_summary")
    assert told.tensor_proto.string_val == [b"/results/runs/ab/abab.json"]
    content = read.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
    told_of: Any = plugin_data_pb2  # its names are made when it is imported
    params = told_of.HParamsPluginData.FromString(content).session_start_info.hparams
    assert params["head"].string_value == "coral"
    assert params["recipe.epochs"].number_value == 50


def test_a_run_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    tracker = TensorBoard(str(tmp_path))
    tracker.log(RUN)
    before = [(path.name, path.stat().st_size) for path in tmp_path.rglob("events*")]
    tracker.log(RUN)
    assert [(path.name, path.stat().st_size) for path in tmp_path.rglob("events*")] == before


def test_the_command_logs_runs_from_before_that_are_not_there_yet(
    tmp_path: Path, trained: Path, shared_cache: Path
) -> None:
    run = "run --head linear --dataset drawn-faces:per_rank=5 --shots 3 --device cpu --quiet"
    recipe = ["--recipe", "min_steps=4", "--recipe", "epochs=1"]
    where = ["--results", str(trained), "--cache", str(shared_cache)]
    track = ["--track", f"tensorboard:{tmp_path}"]
    shown = CliRunner().invoke(app, [*run.split(), *recipe, *where, *track])
    assert (shown.exit_code, shown.stdout) == (0, "0 trained, 1 already done\n")
    (record,) = [one for one in Store(trained).records() if one.spec.head == "linear"]
    read = EventAccumulator(str(tmp_path / record.run_id)).Reload()
    mae = record.metrics["median"]["mae"]
    assert [one.value for one in read.Scalars("mae_median")] == [pytest.approx(mae)]
