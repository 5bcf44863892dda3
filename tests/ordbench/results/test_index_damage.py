"""Whatever happens to an index, the answer is that of the files."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from ordbench.results.index import INDEX, VERSION
from ordbench.results.loading import load_rows
from ordbench.results.store import Store


def garbage(path: Path) -> None:
    path.write_bytes(b"not a database" * 1000)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def blank(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[:4096] + bytes(len(content) - 4096))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def other_schema(path: Path) -> None:
    path.unlink()
    with sqlite3.connect(path) as db:
        db.execute("create table run (mine)")
        db.execute(f"pragma user_version = {VERSION + 1}")
    db.close()


def lost_half(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("delete from cell")
    db.close()


@pytest.mark.parametrize("damage", [garbage, cut, blank, empty, other_schema, lost_half])
def test_a_damaged_or_foreign_index_is_made_again(
    store: Store, opened: list[str], damage: Callable[[Path], None]
) -> None:
    wanted = load_rows(store.root)
    damage(store.root / INDEX)
    opened.clear()
    assert load_rows(store.root) == wanted
    assert len(opened) == 5
    load_rows(store.root)
    assert len(opened) == 5, "the new index is used"
