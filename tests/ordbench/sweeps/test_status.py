"""The file that tells how far a sweep is, of imagined sweeps."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ordbench.errors import SpecError
from ordbench.runs.runner import RunResult
from ordbench.runs.spec import RunSpec
from ordbench.sweeps import status as module
from ordbench.sweeps.cells import Cell, cells
from ordbench.sweeps.status import FOLDER, StatusFile, SweepStatus, read_statuses
from ordbench.sweeps.survey import RefusedCell
from tests.ordbench.conftest import done, failed


@pytest.fixture
def planned() -> list[Cell]:
    """Two cells of two seeds each."""
    spec = RunSpec(head="coral", dataset="fgnet")
    return cells(
        spec.model_copy(update={"shots": shots, "data_seed": seed, "train_seed": seed})
        for shots in (None, 4)
        for seed in (0, 1)
    )


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of day, which tests set."""
    now = [1000.0]
    monkeypatch.setattr(module.time, "time", lambda: now[0])
    return now


def only(results: Path) -> SweepStatus:
    (found,) = read_statuses(results)
    return found


def test_the_file_says_how_far_the_sweep_is_until_it_ends(
    tmp_path: Path, planned: list[Cell], clock: list[float]
) -> None:
    with StatusFile(tmp_path, planned) as told:
        found = only(tmp_path)
        assert (found.planned, found.left, found.started, found.pid) == (4, 4, 1000.0, os.getpid())
        assert (found.seconds_a_run, found.running, found.alive()) == (None, [], True)
        told.on_images(5, 50)
        clock[0] = 1010.0
        told.on_cell(planned[0])
        assert only(tmp_path).running == ["coral on fgnet, clip:tiny, all images"]
        told.on_result(RunResult(done(0), done_before=True))
        found = only(tmp_path)
        assert found.running, "what was done before is not what runs"
        assert found.already_done == 1, "it is told at once, as the training may take long"
        clock[0] = 1016.0
        told.on_result(RunResult(done(1)))
        told.on_result(RunResult(failed(1)))
        told.on_skip(RefusedCell(planned[1], SpecError("too few shots")))
        clock[0] = 1500.0  # the third run takes long; the first two took 6 s
        told.on_cell(planned[1])
        found = only(tmp_path)
        assert (found.done, found.trained, found.failed, found.skipped) == (2, 1, 1, 2)
        assert (found.left, found.seconds_a_run, found.images) == (0, 3.0, None)
        longer = found.model_copy(update={"planned": 14})
        assert longer.seconds_left(1018.0) == 3.0 * 9 - 2  # 9 of 14 are left, and 2 s are over
        assert longer.seconds_left(9999.0) == 0
        assert found.running == ["coral on fgnet, clip:tiny, 4 shots"]
    assert list(tmp_path.iterdir()) == []


def test_what_comes_often_is_written_now_and_then(
    tmp_path: Path, planned: list[Cell], monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = iter([10.0, 10.1, 10.2, 10.9])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(moments))
    with StatusFile(tmp_path, planned) as told:
        told.on_images(1, 9)
        told.on_images(2, 9)
        assert only(tmp_path).images is None
        told.on_images(3, 9)
        assert only(tmp_path).images == (3, 9)


def test_sweeps_of_one_folder_have_a_file_each_and_one_that_fails_leaves_no_folder(
    tmp_path: Path, planned: list[Cell]
) -> None:
    results = tmp_path / "new" / "results"
    with StatusFile(results, planned), StatusFile(results, planned[:1]):
        assert sorted(one.planned for one in read_statuses(results)) == [2, 4]
        assert not list(results.glob(f"{FOLDER}/.*"))
    assert not results.exists()
    with pytest.raises(SpecError), StatusFile(results, planned):
        raise SpecError("no cell can run")
    assert not results.exists()
    results.mkdir()
    with StatusFile(results, planned):
        pass
    assert results.exists(), "it was there before"


def killed(results: Path, planned: list[Cell]) -> Path:
    """The file of a sweep whose process ended without a last word."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    told = StatusFile(results, planned)
    told._status.pid, told._status.process_start = process.pid, "1"  # pyright: ignore
    told._write()  # pyright: ignore
    (path,) = results.glob(f"{FOLDER}/{told._status.plan}-*")  # pyright: ignore
    return path


def test_a_sweep_that_was_killed_is_told_until_the_same_runs_go_on(
    tmp_path: Path, planned: list[Cell]
) -> None:
    path = killed(tmp_path, planned)
    assert only(tmp_path).alive() is False
    with StatusFile(tmp_path, planned[:1]):
        assert path.exists(), "it is of other runs"
    with StatusFile(tmp_path, list(reversed(planned))):
        assert not path.exists()
    assert read_statuses(tmp_path) == []


def test_of_a_process_elsewhere_nothing_is_known_and_its_file_stays(
    tmp_path: Path, planned: list[Cell]
) -> None:
    path = killed(tmp_path, planned)
    path.write_text(path.read_text().replace(f'"host":"{os.uname().nodename}"', '"host":"far"'))
    assert only(tmp_path).alive() is None
    with StatusFile(tmp_path, planned):
        assert path.exists()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b'{"plan": 1}', b"\0" * 9, b'{"pid": -1}', b"null"]
)
def test_what_describes_no_sweep_is_named_and_left_out(
    content: bytes, tmp_path: Path, planned: list[Cell], caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "odd.json").write_bytes(content)
    (tmp_path / FOLDER / "folder.json").mkdir()
    (tmp_path / FOLDER / "note.txt").touch()
    with caplog.at_level(logging.WARNING), StatusFile(tmp_path, planned):
        assert only(tmp_path).planned == 4
    assert sorted(name.rpartition("/")[2].split()[0] for name in caplog.messages) == [
        "folder.json", "odd.json"
    ]  # fmt: skip
    assert (tmp_path / FOLDER / "odd.json").exists()


@pytest.mark.parametrize("obstacle", ["file in place of results", "file in place of the folder"])
def test_a_folder_that_cannot_be_written_to_breaks_nothing(
    obstacle: str, tmp_path: Path, planned: list[Cell]
) -> None:
    results = tmp_path / "results"
    if obstacle == "file in place of results":
        results.touch()
    else:
        results.mkdir()
        (results / FOLDER).touch()
    with StatusFile(results, planned) as told:
        told.on_cell(planned[0])
        told.on_result(RunResult(done(0)))
        assert read_statuses(results) == []
    assert results.exists()


def test_a_folder_that_is_read_only_breaks_nothing(
    tmp_path: Path, planned: list[Cell], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(module.os, "replace", refuse)  # root may write anywhere
    with StatusFile(tmp_path, planned) as told:
        told.on_result(RunResult(done(0)))
        assert read_statuses(tmp_path) == []
