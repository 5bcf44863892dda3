import gzip
import os
from pathlib import Path

import pytest

from ordbench.errors import StoreError
from ordbench.results.archive import write_archive
from ordbench.results.layout import ARCHIVE, record_path
from ordbench.results.loading import load_rows
from ordbench.results.store import Store
from ordbench.results.verify import Verification
from ordbench.runs.record import to_sealed
from ordbench.utils.canonical_json import run_id
from tests.ordbench.conftest import PREDICTIONS, done


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Three runs with predictions and one that failed."""
    store = Store(tmp_path)
    for seed in range(3):
        store.write(done(seed), PREDICTIONS)
    store.write(done(3, status="failed", error="out of memory"), trace="Traceback")
    return store


def found(path: Path) -> list[str]:
    return [str(finding) for finding in Verification(path).findings()]


def path_of(store: Store, seed: int) -> Path:
    return record_path(store.root, run_id({"seed": seed}))


def test_a_store_as_it_was_written_has_no_fault(store: Store) -> None:
    path_of(store, 0).with_name(f".{path_of(store, 0).name}.1-ab.tmp").write_text("{")
    verification = Verification(store.root)
    assert [*verification.findings()] == []
    assert verification.records == 4


def test_a_torn_record_is_found(store: Store) -> None:
    path = path_of(store, 0)
    path.write_bytes(path.read_bytes()[:99])
    (line,) = found(store.root)
    assert line.startswith(f"torn: {path}: Invalid JSON: ")
    assert "\n" not in line


def not_a_file(path: Path, kind: str) -> str:
    """Put something else in the place of a file; why it cannot be read."""
    path.unlink()
    if kind == "folder":
        path.mkdir()
        return "Is a directory"
    if kind == "pipe":
        os.mkfifo(path)
        return "not a regular file"
    path.symlink_to(path.name)
    return "Too many levels of symbolic links"


@pytest.mark.parametrize("kind", ["folder", "pipe", "link to itself"])
def test_what_is_no_file_is_found_and_left_out(
    store: Store, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = path_of(store, 0)
    why = not_a_file(path, kind)
    assert found(store.root) == [f"torn: {path}: it cannot be read: {why}"]
    kept = [path.stem for path in store.root.rglob("runs/*/*.json") if path.is_file()]
    for load in (lambda: store.records(), lambda: load_rows(store.root)):
        caplog.clear()
        assert sorted(one.run_id for one in load()) == sorted(kept)
        assert why in caplog.text
    with pytest.raises(StoreError, match=f"^cannot read {path}: {why}; (re)?move"):
        store.find(path.stem)
    skipped = store.root / "skipped" / "a.json"
    skipped.parent.mkdir()
    skipped.touch()
    not_a_file(skipped, kind)
    assert store.skipped() == []


def test_a_record_that_was_edited_is_found_by_its_hash(store: Store) -> None:
    path = path_of(store, 0)
    path.write_text(path.read_text().replace('"mae":0.25', '"mae":0.15'))
    assert found(store.root) == [f"edited: {path}: checksum mismatch: the file was modified"]


@pytest.mark.parametrize("name", ["notes.json", "ab/notes.txt", "ab/cd/deep.json"])
def test_a_file_that_is_not_ours_is_found(store: Store, name: str) -> None:
    path = store.root / "runs" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("mine")
    assert found(store.root) == [f"foreign: {path}: its name is not one that ordbench gives"]


def test_a_record_under_the_name_of_another_run_is_found(store: Store) -> None:
    path, place = path_of(store, 9), path_of(store, 0)
    path.parent.mkdir(exist_ok=True)
    place.rename(path)
    reason = f"it is the record of run {place.stem}, which belongs in {place}"
    assert found(store.root) == [f"foreign: {path}: {reason}"]


@pytest.mark.parametrize("name", ["{0} (1).json", "../zz/{0}.json"])
def test_a_copy_of_a_record_is_found(store: Store, name: str) -> None:
    place = path_of(store, 0)
    path = (place.parent / name.format(place.stem)).resolve()
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(place.read_bytes())
    reason = f"it is the record of run {place.stem}, which is also in {place}"
    assert found(store.root) == [f"duplicate: {path}: {reason}"]


def test_predictions_that_are_missing_or_other_are_found(store: Store) -> None:
    missing, other, renamed = (path_of(store, seed).with_suffix(".parquet") for seed in range(3))
    missing.unlink()
    other.write_bytes(other.read_bytes()[:-1])
    record = store.read(renamed.stem)
    assert record.predictions is not None
    named = record.predictions.model_copy(update={"file": "00.parquet"})
    renamed.with_suffix(".json").write_bytes(
        to_sealed(record.model_copy(update={"predictions": named}))
    )
    sha = store.read(other.stem).predictions
    assert sha is not None
    assert sorted(found(store.root)) == sorted(
        [
            f"predictions: {missing}: No such file or directory",
            f"predictions: {other}: its SHA-256 is not {sha.sha256}",
            f"predictions: {renamed}: it is named 00.parquet, wanted {renamed.name}",
        ]
    )


def test_trained_heads_that_are_missing_or_other_are_found(store: Store) -> None:
    missing, other = (
        path_of(store, seed).with_suffix(".safetensors")
        for seed in range(2)
        if store.write(done(seed), PREDICTIONS, b"head %d" % seed)
    )
    assert found(store.root) == []
    missing.unlink()
    other.write_bytes(b"head 2")
    named = store.read(other.stem).kept_head
    assert named is not None
    assert sorted(found(store.root)) == sorted(
        [
            f"head: {missing}: No such file or directory",
            f"head: {other}: its SHA-256 is not {named.sha256}",
        ]
    )


def test_a_compact_file_is_verified_line_by_line(tmp_path: Path) -> None:
    path = tmp_path / ARCHIVE
    write_archive([done(seed) for seed in range(3)], path)
    verification = Verification(tmp_path)
    assert [*verification.findings()] == []
    assert verification.records == 3
    lines = gzip.decompress(path.read_bytes()).splitlines(keepends=True)
    changed = [lines[0], lines[1].replace(b"0.25", b"0.15"), lines[0], b"{\n", lines[2]]
    path.write_bytes(gzip.compress(b"".join(changed)))
    edited, twice, torn = found(path)
    assert edited.startswith(f"edited: {path} line 2: checksum mismatch")
    assert twice.startswith(f"duplicate: {path} line 3: run ")
    assert twice.endswith(f"is also in {path} line 1")
    assert torn.startswith(f"torn: {path} line 4: Invalid JSON")
    path.write_bytes(path.read_bytes()[:-12])
    assert found(path)[-1].startswith(f"torn: {path} line ")


def test_a_run_in_a_compact_file_and_beside_it_is_found(store: Store) -> None:
    write_archive([done(0)], store.root / ARCHIVE)
    assert found(store.root) == [
        f"duplicate: {path_of(store, 0)}: run {run_id({'seed': 0})} is also in "
        f"{store.root / ARCHIVE} line 1"
    ]


def test_nothing_to_verify_is_no_success(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no records in .*: looked for .*runs and .*gz"):
        found(tmp_path)
