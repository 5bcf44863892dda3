import logging
import math
import os
import sqlite3
import subprocess
import sys
from operator import attrgetter
from pathlib import Path

import pytest

from ordbench.errors import StoreError
from ordbench.results import index
from ordbench.results.archive import write_archive
from ordbench.results.index import INDEX
from ordbench.results.layout import ARCHIVE, record_path
from ordbench.results.loading import load_cells, load_rows
from ordbench.results.rows import flatten
from ordbench.results.store import Store
from ordbench.runs.record import to_sealed
from ordbench.utils.canonical_json import run_id
from tests.ordbench.conftest import record


def rows_of_files(store: Store) -> list[object]:
    return [flatten(record) for record in store.records()]


def test_the_rows_are_those_of_the_files_in_the_same_order(store: Store) -> None:
    wanted = rows_of_files(store)
    assert load_rows(store.root) == wanted
    assert load_rows(store.root) == wanted
    assert len(wanted) == 5


def test_a_second_answer_opens_no_record(store: Store, opened: list[str]) -> None:
    load_rows(store.root)
    assert len(opened) == 5
    load_rows(store.root)
    assert len(opened) == 5


def test_only_what_changed_is_opened(store: Store, opened: list[str]) -> None:
    load_rows(store.root)
    opened.clear()
    store.write(record(1, mae=0.75))
    store.write(record(9))
    assert load_rows(store.root) == rows_of_files(store)
    changed = {run_id({"seed": 1}), run_id({"seed": 9})}
    assert set(opened[:2]) == changed
    opened.clear()
    load_rows(store.root)
    assert opened == []


def test_a_record_that_is_replaced_at_once_by_one_of_its_size_is_seen(store: Store) -> None:
    load_rows(store.root)
    path = record_path(store.root, record(0).run_id)
    before = path.stat()
    store.write(record(0, mae=0.75))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert 0.75 in [row.metrics.get("mae_median") for row in load_rows(store.root)]


def test_a_record_that_is_removed_leaves_the_index(store: Store, opened: list[str]) -> None:
    load_rows(store.root)
    record_path(store.root, record(0).run_id).unlink()
    opened.clear()
    assert len(load_rows(store.root)) == 4
    assert opened == []
    with sqlite3.connect(store.root / INDEX) as db:
        assert db.execute("select count(*) from run").fetchone() == (4,)
    db.close()


def test_a_record_that_is_edited_in_place_is_left_out_by_name_every_time(
    store: Store, opened: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    load_rows(store.root)
    path = record_path(store.root, record(0).run_id)
    path.write_text(path.read_text().replace("0.25", "0.15"))
    opened.clear()
    for _ in range(2):
        caplog.clear()
        assert len(load_rows(store.root)) == 4
        (message,) = caplog.messages
        assert str(path) in message
        assert "checksum mismatch" in message
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
        assert len(load_rows(store.root)) == 4
    assert caplog.messages == [f"{path} is left out: it cannot be read: Permission denied"]
    assert len(load_rows(store.root)) == 5


def test_rows_of_other_code_are_made_again(
    store: Store, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    load_rows(store.root)
    opened.clear()
    monkeypatch.setattr(index, "VERSION", index.VERSION + 1)
    load_rows(store.root)
    load_rows(store.root)
    assert len(opened) == 5


@pytest.mark.parametrize("refusal", ["readonly", "locked"])
def test_an_index_that_cannot_be_written_changes_no_answer(
    store: Store, refusal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = rows_of_files(store)
    path = store.root / INDEX
    if refusal == "readonly":
        path.mkdir()  # even for root, whom no mode of a folder keeps out
        assert load_rows(store.root) == wanted
        return
    monkeypatch.setattr(index, "_BUSY_SECONDS", 0.01)
    load_rows(store.root)
    store.write(record(9))
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("begin exclusive")
    assert load_rows(store.root) == rows_of_files(store)
    holder.close()


def test_a_store_without_records_gets_no_index(tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(StoreError, match="no records in"):
            load_rows(path)
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_a_compact_file_is_read_without_an_index(tmp_path: Path) -> None:
    write_archive([record(1), record(0)], tmp_path / ARCHIVE)
    wanted = sorted((flatten(record(seed)) for seed in (0, 1)), key=attrgetter("run_id"))
    assert load_rows(tmp_path) == load_rows(tmp_path / ARCHIVE) == wanted
    assert [path.name for path in tmp_path.iterdir()] == [ARCHIVE]


def test_no_records_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"no records in .*: looked for .*runs and .*gz"):
        load_rows(tmp_path)


READER = """
import sys
from pathlib import Path
from ordbench.results.loading import load_cells, load_rows
for _ in range(6):
    rows = load_rows(Path(sys.argv[1]))
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
        assert load_rows(store.root) == rows_of_files(store)
    assert caplog.messages == [], "the index is whole"


def test_an_answer_from_an_index_loads_neither_pydantic_nor_numpy(store: Store) -> None:
    load_rows(store.root)
    program = (
        "import sys; from pathlib import Path; from ordbench.results.loading import load_rows;"
        "load_rows(Path(sys.argv[1])); print({'pydantic', 'numpy', 'torch'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", program, str(store.root)]
    got = subprocess.run(command, capture_output=True, text=True)
    assert (got.stdout, got.stderr) == ("set()\n", "")


def test_a_record_beside_which_nothing_else_stands_is_enough(tmp_path: Path) -> None:
    path = record_path(tmp_path, record(0).run_id)
    path.parent.mkdir(parents=True)
    path.write_bytes(to_sealed(record(0)))
    assert load_rows(tmp_path) == [flatten(record(0))]


def test_every_value_of_a_row_comes_back(store: Store) -> None:
    odd = {"median": {"mae": math.inf, "qwk": math.nan, 'a "b"': 1 / 3}, "mean": {"mae": 1e-300}}
    store.write(record(7, metrics=odd, baseline={"rps": math.nan}, seconds={"fit": 0.1}))
    wanted = {repr(row) for row in rows_of_files(store)}
    assert {repr(row) for row in load_rows(store.root)} == wanted
    assert {repr(row) for row in load_rows(store.root)} == wanted


def test_only_the_scores_that_are_asked_for_are_read(store: Store) -> None:
    store.write(record(7, metrics={"median": {"mae": 0.5, "qwk": 0.25}}))
    load_rows(store.root)
    cells = load_cells(store.root, ["qwk_median"])
    assert {tuple(cell.metrics) for cell in cells} == {(), ("qwk_median",)}
    assert all(not cell.baseline for cell in cells)
