import logging
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import BaseModel

from ordbench import index
from ordbench.canonical import run_id
from ordbench.compact import write_compact
from ordbench.errors import StoreError
from ordbench.flat import flatten
from ordbench.index import INDEX, load_flat
from ordbench.listing import COMPACT, record_path
from ordbench.recipe import Recipe
from ordbench.record import to_sealed
from ordbench.spec import RunSpec
from ordbench.store import Store
from ordbench.tune import Tuning
from tests.ordbench.conftest import record


def rows_of_files(store: Store) -> list[object]:
    return [flatten(record) for record in store.records()]


def test_the_rows_are_those_of_the_files_in_the_same_order(store: Store) -> None:
    wanted = rows_of_files(store)
    assert load_flat(store.root) == wanted
    assert load_flat(store.root) == wanted
    assert len(wanted) == 5


def test_a_second_answer_opens_no_record(store: Store, opened: list[str]) -> None:
    load_flat(store.root)
    assert len(opened) == 5
    load_flat(store.root)
    assert len(opened) == 5


def test_only_what_changed_is_opened(store: Store, opened: list[str]) -> None:
    load_flat(store.root)
    opened.clear()
    store.write(record(1, mae=0.75))
    store.write(record(9))
    assert load_flat(store.root) == rows_of_files(store)
    changed = {run_id({"seed": 1}), run_id({"seed": 9})}
    assert set(opened[:2]) == changed
    opened.clear()
    load_flat(store.root)
    assert opened == []


def test_a_record_that_is_replaced_at_once_by_one_of_its_size_is_seen(store: Store) -> None:
    load_flat(store.root)
    path = record_path(store.root, record(0).run_id)
    before = path.stat()
    store.write(record(0, mae=0.75))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert 0.75 in [row.metrics.get("mae_median") for row in load_flat(store.root)]


def test_a_record_that_is_removed_leaves_the_index(store: Store, opened: list[str]) -> None:
    load_flat(store.root)
    record_path(store.root, record(0).run_id).unlink()
    opened.clear()
    assert len(load_flat(store.root)) == 4
    assert opened == []
    with sqlite3.connect(store.root / INDEX) as db:
        assert db.execute("select count(*) from runs").fetchone() == (4,)
    db.close()


def test_a_record_that_is_edited_in_place_is_left_out_by_name_every_time(
    store: Store, opened: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    load_flat(store.root)
    path = record_path(store.root, record(0).run_id)
    path.write_text(path.read_text().replace("0.25", "0.15"))
    opened.clear()
    for _ in range(2):
        caplog.clear()
        assert len(load_flat(store.root)) == 4
        (message,) = caplog.messages
        assert str(path) in message
        assert "edited since it was written" in message
    assert opened == [path.stem]


def test_a_file_that_could_not_be_read_is_tried_again(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    real, path = Path.read_bytes, record_path(store.root, record(0).run_id)

    def refuse(self: Path) -> bytes:
        if self == path:
            raise PermissionError(13, "Permission denied")
        return real(self)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", refuse)
        assert len(load_flat(store.root)) == 4
    assert caplog.messages == [f"{path} cannot be read and is left out: Permission denied"]
    assert len(load_flat(store.root)) == 5


def test_rows_of_other_code_are_made_again(
    store: Store, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    load_flat(store.root)
    opened.clear()
    monkeypatch.setattr(index, "_code", lambda: 7)
    load_flat(store.root)
    load_flat(store.root)
    assert len(opened) == 5


@pytest.mark.parametrize("refusal", ["readonly", "locked"])
def test_an_index_that_cannot_be_written_changes_no_answer(
    store: Store, refusal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = rows_of_files(store)
    path = store.root / INDEX
    if refusal == "readonly":
        path.mkdir()  # even for root, whom no mode of a folder keeps out
        assert load_flat(store.root) == wanted
        return
    monkeypatch.setattr(index, "_BUSY_SECONDS", 0.01)
    load_flat(store.root)
    store.write(record(9))
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("begin exclusive")
    assert load_flat(store.root) == rows_of_files(store)
    holder.close()


def test_a_store_without_records_gets_no_index(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(StoreError, match="no records in"):
            load_flat(path)
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_the_index_is_made_again_when_the_code_of_any_part_of_a_record_changes() -> None:
    spec = RunSpec(head="coral", dataset="fgnet", recipe=Recipe(), tuning=Tuning(budget=2))
    parts: list[object] = [record(0, spec=spec), spec]
    parts += [value for part in (record(0), spec) for _, value in part]
    modules = {type(part).__module__ for part in parts if isinstance(part, BaseModel)}
    assert modules <= {f"ordbench.{name}" for name in index._CODE.split()}


def test_a_compact_file_is_read_without_an_index(tmp_path: Path) -> None:
    write_compact([record(1), record(0)], tmp_path / COMPACT)
    wanted = sorted(flatten(record(seed)) for seed in (0, 1))
    assert load_flat(tmp_path) == load_flat(tmp_path / COMPACT) == wanted
    assert [path.name for path in tmp_path.iterdir()] == [COMPACT]


def test_no_records_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no records in .*: looked for .*runs and .*gz"):
        load_flat(tmp_path)


READER = """
import sys
from pathlib import Path
from ordbench.index import load_flat
for _ in range(6):
    rows = load_flat(Path(sys.argv[1]))
    assert len({row.run_id for row in rows}) == len(rows) >= 5, rows
"""


def test_four_readers_beside_a_writer_agree_with_the_files(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    command = [sys.executable, "-c", READER, str(store.root)]
    readers = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for _ in range(4)]
    seed = 10
    while any(reader.poll() is None for reader in readers):
        store.write(record(seed))
        seed += 1
    assert [reader.communicate()[1] for reader in readers] == [""] * 4
    with caplog.at_level(logging.INFO):
        assert load_flat(store.root) == rows_of_files(store)
    assert caplog.messages == [], "the index is whole"


def test_an_answer_from_an_index_loads_neither_pydantic_nor_numpy(store: Store) -> None:
    load_flat(store.root)
    program = (
        "import sys; from pathlib import Path; from ordbench.index import load_flat;"
        "load_flat(Path(sys.argv[1])); print({'pydantic', 'numpy', 'torch'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", program, str(store.root)]
    got = subprocess.run(command, capture_output=True, text=True)
    assert (got.stdout, got.stderr) == ("set()\n", "")


def test_a_record_beside_which_nothing_else_stands_is_enough(tmp_path: Path) -> None:
    path = record_path(tmp_path, record(0).run_id)
    path.parent.mkdir(parents=True)
    path.write_bytes(to_sealed(record(0)))
    assert load_flat(tmp_path) == [flatten(record(0))]
