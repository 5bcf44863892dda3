import os
from collections import Counter
from pathlib import Path

import pytest

from ordbench.errors import StoreError
from ordbench.results.archive import write_archive
from ordbench.results.layout import ARCHIVE, record_path
from ordbench.results.merge import Merged, merge
from ordbench.results.store import Store
from ordbench.results.verify import Verification
from ordbench.utils.canonical_json import run_id
from tests.ordbench.conftest import PREDICTIONS, done, failed


@pytest.fixture
def ours(tmp_path: Path) -> Store:
    return Store(tmp_path / "ours")


@pytest.fixture
def theirs(tmp_path: Path) -> Store:
    return Store(tmp_path / "theirs")


def merged(ours: Store, theirs: Store) -> list[Merged]:
    outcomes = list(merge(ours.root, theirs.root))
    assert [*Verification(ours.root).findings()] == []
    return outcomes


def counts(outcomes: list[Merged]) -> dict[str, int]:
    return dict(Counter(outcome.what for outcome in outcomes))


def files(store: Store) -> dict[str, bytes]:
    paths = [path for path in store.root.rglob("*") if path.is_file()]
    return {str(path.relative_to(store.root)): path.read_bytes() for path in paths}


def test_runs_are_copied_whole_to_a_folder_that_is_not_there_yet(
    ours: Store, theirs: Store
) -> None:
    for seed in range(3):
        theirs.write(done(seed), PREDICTIONS, b"head")
    theirs.write(failed(3), trace="Traceback\n  line 1")
    assert counts(merged(ours, theirs)) == {"copied": 4}
    assert files(ours) == files(theirs)


def test_what_is_there_is_not_copied_again(ours: Store, theirs: Store) -> None:
    ours.write(done(0, created="2026-01-01", machine={"cores": "2"}), PREDICTIONS)
    theirs.write(done(0, created="2026-02-02", machine={"cores": "9"}), PREDICTIONS)
    theirs.write(done(1), PREDICTIONS)
    before = files(ours)
    assert counts(merged(ours, theirs)) == {"already present": 1, "copied": 1}
    assert before.items() <= files(ours).items()
    assert counts(merged(ours, theirs)) == {"already present": 2}


@pytest.mark.parametrize("lost", [".parquet", ".safetensors"])
def test_a_run_without_one_of_its_files_is_made_whole(
    ours: Store, theirs: Store, lost: str
) -> None:
    kept = ours.write(done(0), PREDICTIONS, b"head")
    theirs.write(done(0), PREDICTIONS, b"head")
    record_path(ours.root, kept.run_id).with_suffix(lost).unlink()
    assert counts(merged(ours, theirs)) == {"copied": 1}


def test_a_trained_head_is_added_and_never_lost(ours: Store, theirs: Store) -> None:
    kept = theirs.write(done(0), PREDICTIONS, b"head")
    ours.write(done(0), PREDICTIONS)
    assert counts(merged(theirs, ours)) == {"already present": 1}
    assert counts(merged(ours, theirs)) == {"copied": 1}
    for store in (ours, theirs):
        assert store.head_file(store.read(kept.run_id)) == b"head"


def test_of_two_outcomes_the_one_that_is_there_stays(ours: Store, theirs: Store) -> None:
    kept = ours.write(done(0), PREDICTIONS)
    theirs.write(done(0, metrics={"median": {"mae": 0.5, "qwk": 1.0}}), PREDICTIONS)
    (outcome,) = merged(ours, theirs)
    path = record_path(theirs.root, kept.run_id)
    assert str(outcome) == (
        f"conflict: {path}: {record_path(ours.root, kept.run_id)} stays, "
        "which differs in qwk_median none and 1.0 and 1 more"
    )
    assert ours.read(kept.run_id) == kept


def test_a_run_that_is_done_takes_the_place_of_a_failure_and_not_the_other_way(
    ours: Store, theirs: Store
) -> None:
    ours.write(failed(0))
    ours.write(done(1), PREDICTIONS)
    ours.write(failed(2))
    theirs.write(done(0), PREDICTIONS)
    theirs.write(failed(1))
    theirs.write(failed(2))
    assert counts(merged(ours, theirs)) == {"copied": 1, "already present": 2}
    assert [ours.has(run_id({"seed": seed})) for seed in range(3)] == [True, True, False]


def test_the_trace_of_an_earlier_failure_is_not_copied_with_a_run_that_is_done(
    ours: Store, theirs: Store
) -> None:
    path = record_path(theirs.root, theirs.write(done(0), PREDICTIONS).run_id)
    path.with_suffix(".trace").write_text("Traceback")
    merged(ours, theirs)
    assert [Path(name).suffix for name in sorted(files(ours))] == [".json", ".parquet"]


def test_a_record_that_is_not_whole_here_is_replaced(ours: Store, theirs: Store) -> None:
    path = record_path(ours.root, ours.write(done(0), PREDICTIONS).run_id)
    path.write_bytes(path.read_bytes()[:50])
    theirs.write(done(0), PREDICTIONS)
    assert counts(merged(ours, theirs)) == {"copied": 1}


def test_what_is_not_whole_there_is_left_out_by_name(ours: Store, theirs: Store) -> None:
    paths = [record_path(theirs.root, run_id({"seed": seed})) for seed in range(4)]
    for seed in range(4):
        theirs.write(done(seed), PREDICTIONS)
    paths[0].write_bytes(paths[0].read_bytes()[:50])
    paths[1].write_text(paths[1].read_text().replace("0.25", "0.15"))
    paths[2].with_suffix(".parquet").unlink()
    outcomes = merged(ours, theirs)
    assert counts(outcomes) == {"left out": 3, "copied": 1}
    reasons = {outcome.where: outcome.reason for outcome in outcomes if outcome.reason}
    assert reasons.keys() == set(paths[:3])
    assert "Invalid JSON" in reasons[paths[0]]
    assert "checksum mismatch" in reasons[paths[1]]
    assert reasons[paths[2]] == "No such file or directory"


def test_a_merge_that_is_stopped_leaves_a_store_that_is_whole(
    ours: Store, theirs: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(3):
        theirs.write(done(seed), PREDICTIONS)
    replace, left = os.replace, [7]  # the predictions of the second run, but not its record

    def stop(source: Path, target: Path) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        replace(source, target)

    monkeypatch.setattr(os, "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        list(merge(ours.root, theirs.root))
    monkeypatch.undo()
    assert [*Verification(ours.root).findings()] == []
    assert len([*ours.records()]) == 1
    assert counts(merged(ours, theirs)) == {"already present": 1, "copied": 2}


def test_folders_that_cannot_be_merged_are_refused(ours: Store, theirs: Store) -> None:
    with pytest.raises(StoreError, match=r"no records in .*theirs"):
        list(merge(ours.root, theirs.root))
    theirs.write(done(0), PREDICTIONS)
    with pytest.raises(StoreError, match="are one folder; merge another one into it"):
        list(merge(theirs.root, theirs.root))
    compact = ours.root / ARCHIVE
    write_archive([done(0)], compact)
    for path in (compact, compact.parent):
        with pytest.raises(StoreError, match="is an archive without predictions, so it"):
            list(merge(theirs.root, path))
    with pytest.raises(StoreError, match="would hide the merged runs; choose another"):
        list(merge(ours.root, theirs.root))
