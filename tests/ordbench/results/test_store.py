import errno
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ordbench.errors import StoreError
from ordbench.results.archive import write_archive
from ordbench.results.layout import ARCHIVE
from ordbench.results.loading import read_records
from ordbench.results.store import Store
from ordbench.results.verify import Verification
from ordbench.runs.predictions import Predictions
from ordbench.runs.record import Record, to_json
from ordbench.runs.spec import RunSpec
from ordbench.utils.canonical_json import add_checksum
from tests.ordbench.conftest import done, failed


def predictions(mean: float = 0.5) -> Predictions:
    return Predictions(
        samples=["a", "b"],
        ranks=np.array([0, 1]),
        estimates={"mean": np.array([mean, 1.0])},
        posterior=np.array([[0.5, 0.5], [0.0, 1.0]], np.float32),
    )


def path_of(store: Store, record: Record) -> Path:
    return store.root / "runs" / record.run_id[:2] / f"{record.run_id}.json"


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    store = Store(tmp_path)
    written = store.write(done(), predictions())
    assert store.read(written.run_id) == written
    assert [*store.records()] == [written]
    assert written.model_copy(update={"predictions": None, "created": ""}) == done().model_copy(
        update={"created": ""}
    )
    got = store.read_predictions(written.run_id)
    assert got.samples == ["a", "b"]
    assert got.estimates["mean"].tolist() == [0.5, 1.0]
    files = sorted(path.name for path in path_of(store, written).parent.iterdir())
    assert files == [f"{written.run_id}.json", f"{written.run_id}.parquet"]


def test_only_a_run_that_is_done_counts_as_there(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.find(done().run_id) is None
    assert not store.has(done().run_id)
    kept = store.write(failed())
    assert store.find(done().run_id) == kept
    assert not store.has(done().run_id)
    kept = store.write(done())
    assert store.find(done().run_id) == kept
    assert store.has(done().run_id)
    path = path_of(store, done())
    path.write_text(path.read_text().replace('"mae":0.25', '"mae":0.15'))
    assert not store.has(done().run_id), "edited by hand"
    path.write_text('{"schema_version":1,"run_id":')
    assert store.find(done().run_id) is None
    assert not store.has(done().run_id)


def test_a_failure_never_takes_the_place_of_a_run_that_is_done(tmp_path: Path) -> None:
    store = Store(tmp_path)
    kept = store.write(done(), predictions())
    assert store.write(failed(), trace="Traceback").status == "failed"
    assert store.read(kept.run_id) == kept
    assert path_of(store, kept).with_suffix(".trace").read_text() == "Traceback"


def test_where_a_run_failed_stands_beside_its_record(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(failed(), trace="Traceback\n  line 1")
    path = path_of(store, failed())
    assert path.with_suffix(".trace").read_text() == "Traceback\n  line 1"
    assert [record.status for record in store.records()] == ["failed"]


def test_a_run_that_is_done_after_all_has_no_trace(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(failed(), trace="Traceback")
    path = path_of(store, store.write(done(), predictions()))
    assert sorted(file.suffix for file in path.parent.iterdir()) == [".json", ".parquet"]


def test_a_run_that_is_done_again_replaces_record_and_predictions(tmp_path: Path) -> None:
    store = Store(tmp_path)
    first = store.write(done(), predictions(0.25))
    second = store.write(done(), predictions(0.75))
    assert first.predictions != second.predictions
    assert store.read_predictions(second.run_id).estimates["mean"].tolist() == [0.75, 1.0]


def test_a_record_never_stands_beside_predictions_of_another_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    store.write(done(), predictions(0.25))
    replace = os.replace

    def killed_after_predictions(source: Path, target: Path) -> None:
        if target.suffix == ".json":
            raise KeyboardInterrupt
        replace(source, target)

    monkeypatch.setattr(os, "replace", killed_after_predictions)
    with pytest.raises(KeyboardInterrupt):
        store.write(done(), predictions(0.75))
    assert not store.has(done().run_id)


@pytest.mark.parametrize("written", range(4))
def test_a_run_is_kept_if_there_is_no_room_for_the_one_that_is_to_replace_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: int
) -> None:
    store = Store(tmp_path)
    kept = store.write(done(), predictions(0.25))
    flush, left = os.fsync, [written]

    def full(descriptor: int) -> None:
        if not left[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        left[0] -= 1
        flush(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="No space left on device"):
        store.write(done(), predictions(0.75))
    assert store.read(kept.run_id) == kept
    assert store.read_predictions(kept.run_id).estimates["mean"].tolist() == [0.25, 1.0]
    assert len([*path_of(store, kept).parent.iterdir()]) == 2


def kill_after(moves: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let so many files be renamed or removed, and stop the process at the next one."""
    left = [moves]

    def until_killed(move: Callable[..., None]) -> Callable[..., None]:
        def moved(*paths: Path, **options: bool) -> None:
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            move(*paths, **options)

        return moved

    monkeypatch.setattr(os, "replace", until_killed(os.replace))
    monkeypatch.setattr(Path, "unlink", until_killed(Path.unlink))


@pytest.mark.parametrize(("moves", "there"), [(2, 0.25), (3, None), (4, None), (5, 0.75)])
def test_whoever_is_killed_while_he_replaces_a_run_leaves_it_whole_or_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: int, there: float | None
) -> None:
    store = Store(tmp_path)
    run_id = store.write(done(), predictions(0.25)).run_id
    path_of(store, done()).with_suffix(".trace").touch()
    kill_after(moves, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        store.write(done(), predictions(0.75))
    assert [*Verification(tmp_path).findings()] == []
    found = store.read_predictions(run_id).estimates["mean"][0] if store.find(run_id) else None
    assert found == there


@pytest.mark.parametrize(
    ("moves", "there"), [(3, b"old"), (4, None), (5, None), (6, None), (7, b"new")]
)
def test_a_trained_head_is_replaced_with_its_record_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moves: int, there: bytes | None
) -> None:
    store = Store(tmp_path)
    run_id = store.write(done(), predictions(0.25), b"old").run_id
    kill_after(moves, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        store.write(done(), predictions(0.75), b"new")
    assert [*Verification(tmp_path).findings()] == []
    record = store.find(run_id)
    assert (store.head_file(record) if record else None) == there


def test_a_run_that_is_done_again_without_its_head_leaves_no_older_head(tmp_path: Path) -> None:
    store = Store(tmp_path)
    path = path_of(store, store.write(done(), predictions(), b"head"))
    assert path.with_suffix(".safetensors").read_bytes() == b"head"
    record = store.write(done(), predictions())
    assert store.head_file(record) is None
    assert sorted(file.suffix for file in path.parent.iterdir()) == [".json", ".parquet"]


def test_two_processes_that_write_one_run_leave_a_pair_that_fits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path)
    replace = os.replace
    waiting = [True]

    def other_process_comes_between(source: Path, target: Path) -> None:
        if target.suffix == ".json" and waiting:
            waiting.clear()
            Store(tmp_path).write(done(), predictions(0.25))
        replace(source, target)

    monkeypatch.setattr(os, "replace", other_process_comes_between)
    store.write(done(), predictions(0.75))
    assert store.read_predictions(done().run_id).estimates["mean"].tolist() == [0.75, 1.0]


def test_files_that_are_no_records_are_named_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(tmp_path)
    kept = store.write(done(0))
    torn = path_of(store, store.write(done(1)))
    torn.write_bytes(torn.read_bytes()[:100])
    moved = path_of(store, done(2))
    moved.parent.mkdir(exist_ok=True)
    moved.write_text(path_of(store, kept).read_text())
    newer = path_of(store, done(3))
    newer.parent.mkdir(exist_ok=True)
    newer.write_text(
        add_checksum(to_json(done(3)).replace('"schema_version":1', '"schema_version":2'))
    )
    edited = path_of(store, store.write(done(4)))
    edited.write_text(edited.read_text().replace('"mae":0.25', '"mae":0.15'))
    foreign = torn.with_name("notes.json")
    foreign.write_text("{}")
    torn.with_name(f".{torn.name}.1-ab.tmp").write_text("{")
    elsewhere = moved.parent.parent / "zz" / moved.name
    elsewhere.parent.mkdir()
    elsewhere.write_bytes(path_of(store, kept).read_bytes())
    torn.with_name("._notes.json").write_text("")
    with caplog.at_level(logging.WARNING):
        assert [*store.records()] == [kept]
    reasons = {
        torn: "Invalid JSON",
        moved: f"the record of run {kept.run_id}",
        newer: "(schema_version 2) is that of another version of ordbench",
        edited: "checksum mismatch",
        foreign: "its name is not that of a run",
        elsewhere: "its name is not that of a run",
    }
    assert len(caplog.messages) == len(reasons)
    for path, reason in reasons.items():
        assert [m for m in caplog.messages if str(path) in m and reason in m], path


def test_records_come_in_the_order_of_their_ids(tmp_path: Path) -> None:
    store = Store(tmp_path)
    ids = [store.write(done(seed)).run_id for seed in range(20)]
    assert [record.run_id for record in store.records()] == sorted(ids)


def test_a_store_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert [*Store(tmp_path / "nowhere").records()] == []
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("bad", ["../../../etc/passwd", "", "0123456789ABCDEF0123", "0" * 19])
def test_a_run_id_is_never_a_path(tmp_path: Path, bad: str) -> None:
    with pytest.raises(StoreError, match="is not a run id; wanted 20 of the digits 0-9 and a-f"):
        Store(tmp_path).read(bad)


def test_an_unknown_run_is_named_with_its_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=f"no run {'0' * 20} in {tmp_path}"):
        Store(tmp_path).read("0" * 20)


def test_predictions_that_are_not_those_of_the_record_are_refused(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.write(done(0))
    with pytest.raises(StoreError, match="holds no predictions"):
        store.read_predictions(done(0).run_id)
    path = path_of(store, store.write(done(1), predictions())).with_suffix(".parquet")
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(StoreError, match=r"\.parquet does not hold .*SHA-256"):
        store.read_predictions(done(1).run_id)
    path.unlink()
    with pytest.raises(StoreError, match=r"\.parquet does not hold .*No such file"):
        store.read_predictions(done(1).run_id)


def test_a_folder_that_is_a_file_is_refused_in_one_line(tmp_path: Path) -> None:
    root = tmp_path / "results"
    root.write_text("")
    with pytest.raises(StoreError, match=f"cannot write {root}") as caught:
        Store(root).write(done(), predictions())
    assert "\n" not in str(caught.value)
    with pytest.raises(StoreError, match=f"cannot read {root}"):
        list(Store(root).records())
    with pytest.raises(StoreError, match=f"cannot read {root}"):
        Store(root).find(done().run_id)


def test_what_killed_writers_left_is_swept_when_it_is_old(tmp_path: Path) -> None:
    path = path_of(Store(tmp_path), done())
    path.parent.mkdir(parents=True)
    old, young = (path.with_name(f".{path.name}.{n}.tmp") for n in ("1-aa", "1-bb"))
    old.touch()
    young.touch()
    hour_ago = time.time() - 3601
    os.utime(old, (hour_ago, hour_ago))
    Store(tmp_path).write(done())
    assert not old.exists()
    assert young.exists()


@pytest.mark.parametrize("kind", ["a store", "a compact file", "a folder with a compact file"])
def test_records_are_read_from(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "results"
    if kind == "a store":
        Store(path).write(done())
    else:
        path = path / ARCHIVE
        write_archive([done()], path)
        path = path if kind == "a compact file" else path.parent
    assert [record.run_id for record in read_records(path)] == [done().run_id]


def test_no_records_says_where_it_looked_and_how_to_make_some(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"looked for .*runs and .*gz; `ordbench run ") as caught:
        next(read_records(tmp_path))
    assert "\n" not in str(caught.value)


def test_a_run_clears_the_note_that_its_cell_was_skipped(tmp_path: Path) -> None:
    store = Store(tmp_path)
    spec = done(0).spec
    for seed in (0, 1):
        store.write_skip(spec.model_copy(update={"train_seed": seed}), f"no images {seed}")
    other = store.write_skip(spec.model_copy(update={"shots": 4}), "too few images")
    (tmp_path / "skipped" / "torn.json").write_text("{")
    assert {cell.reason for cell in store.skipped()} == {"no images 1", "too few images"}
    store.write(done(5))
    assert store.skipped() == [other]


def test_a_head_that_is_not_installed_can_be_skipped(tmp_path: Path) -> None:
    spec = RunSpec(head="gone", head_options={"depth": 2}, dataset="fgnet")
    assert Store(tmp_path).write_skip(spec, "not installed").label == "gone:depth=2"


WRITER = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from test_store import Store, done, predictions
store = Store(Path(sys.argv[2]))
for seed in range(int(sys.argv[3]), int(sys.argv[4])):
    store.write(done(seed), predictions())
    print(seed, flush=True)
"""


def writer(store: Store, first: int, last: int) -> subprocess.Popen[str]:
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", WRITER, here, str(store.root), str(first), str(last)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_six_processes_that_write_forty_records_each_lose_none(tmp_path: Path) -> None:
    store = Store(tmp_path)
    writers = [writer(store, 40 * i, 40 * i + 40) for i in range(6)]
    for process in writers:
        process.communicate()
    assert [process.returncode for process in writers] == [0] * 6
    assert {record.spec.data_seed for record in store.records()} == set(range(240))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_writer_that_is_killed_leaves_no_torn_record(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = Store(tmp_path)
    for run_cell in range(5):
        process = writer(store, 10_000 * run_cell, 10_000 * (run_cell + 1))
        assert process.stdout is not None
        reported = [int(process.stdout.readline()) for _ in range(3 + run_cell)]
        time.sleep(0.0007 * run_cell)
        process.kill()
        reported += [int(line) for line in process.communicate()[0].splitlines()]
        with caplog.at_level(logging.WARNING):
            found = {record.spec.data_seed for record in store.records()}
        assert not caplog.messages
        assert set(reported) <= found
        for seed in found:
            store.read_predictions(done(seed).run_id)
