import logging
import math
from pathlib import Path

import pytest

from ordbench.errors import SpecError
from ordbench.runs.record import HeadFile, PredictionsFile
from ordbench.runs.runner import RunResult
from ordbench.runs.spec import RunSpec
from ordbench.trackers import tracking
from ordbench.trackers.tracker import TrackedRun, Tracker, tracked
from ordbench.trackers.tracking import TRACKERS, Tracking
from tests.ordbench.conftest import done, failed


class Kept(Tracker):
    """Keeps what it is told; fails from the second run on where it was told to."""

    def __init__(self, where: str) -> None:
        self.where, self.runs = where, list[TrackedRun]()
        OPENED.append(self)

    def log(self, run: TrackedRun) -> None:
        print("a link to the dashboard")
        if self.where == "broken" and self.runs:
            raise ConnectionError("no route to host\nat all")
        self.runs.append(run)


OPENED: list[Kept] = []


@pytest.fixture(autouse=True)
def _kept(monkeypatch: pytest.MonkeyPatch) -> None:
    OPENED.clear()
    monkeypatch.setitem(TRACKERS, "kept", Kept)


def test_a_tracker_that_fails_is_warned_of_once_and_loses_no_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    callback = Tracking(["kept:broken", "kept"], tmp_path)
    with caplog.at_level(logging.WARNING):
        for seed in range(4):
            callback.on_result(RunResult(done(seed)))
    broken, whole = OPENED
    assert (len(broken.runs), len(whole.runs)) == (1, 4)
    (warning,) = caplog.messages
    assert warning.startswith("--track kept:broken failed at run ")
    assert "ConnectionError: no route to host at all; it logs nothing more" in warning
    assert capsys.readouterr().out == "", "standard output is for results"


def test_a_tracker_is_told_what_the_record_says(tmp_path: Path) -> None:
    record = done(
        3,
        spec=RunSpec(head="coral", dataset="csv", dataset_argument="/home/me/ages.csv"),
        metrics={"median": {"mae": 0.25, "qwk": math.nan}},
        baseline={"mae": 0.5},
        seconds={"fit": 1.5},
        predictions=PredictionsFile(file="ab.parquet", sha256=""),
        kept_head=HeadFile(file="ab.safetensors", sha256=""),
    )
    run = tracked(record, tmp_path)
    assert run.metrics == {
        "mae_median": 0.25,
        "baseline/mae": 0.5,
        "seconds/fit": 1.5,
        "val_mae": 0.5,
        "parameters": 6,
    }
    assert (run.run_id, run.steps, run.error) == (record.run_id, 10, "")
    assert (run.params["head"], run.params["shots"]) == ("coral", None)
    assert run.params["dataset_argument"] == "ages.csv", "no path of this machine"
    folder = tmp_path / "runs" / record.run_id[:2]
    assert run.files == {
        "record": folder / f"{record.run_id}.json",
        "predictions": folder / "ab.parquet",
        "head": folder / "ab.safetensors",
    }
    assert tracked(failed(), tmp_path).error == "out of memory"


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("mlflw", "--track mlflw: unknown tracker; did you mean mlflow?"),
        ("gone", "ordbench_gone is not installed; run: pip install 'ordbench[ordbench_gone]'"),
    ],
)
def test_a_tracker_that_cannot_be_used_is_refused_before_the_first_run(
    typed: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone(Kept):
        def __init__(self, where: str) -> None:
            tracking_extra("ordbench_gone")

    from ordbench.utils.extras import extra as tracking_extra

    monkeypatch.setitem(tracking.TRACKERS, "gone", Gone)
    with pytest.raises(SpecError) as refused:
        Tracking([typed], tmp_path)
    assert str(refused.value) == said
