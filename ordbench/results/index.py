"""An index of a store: the rows of its records in one SQLite file, so that tables open no record.

The record files are the truth. Every answer begins with a look at each file's inode, size and time
of change, and what is not as the index knows it is read. The index may be missing, old, damaged,
locked or read-only: the answer is the same, and only slower. Writers of records never touch it.
"""

from __future__ import annotations

import logging
import sqlite3
import struct
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from ordbench.results.layout import Stamp
from ordbench.results.packed import check, join, key_of, shared, split
from ordbench.results.rows import CellRuns, RunRow

VERSION = 1  # raised when rows change
INDEX = "index.sqlite"
_BUSY_SECONDS = 10.0
_FAULT = 0  # the key of files that are not records
_COLUMNS = "run_id, inode, size, changed, shared, checksum, packed"
_TABLES = (
    "create table shared (id integer primary key, content text)",
    f"create table runs ({_COLUMNS}, primary key (run_id)) without rowid",
)

# What damaged bytes look like to code that takes them for rows.
_WRONG = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
logger = logging.getLogger(__name__)


class Held(NamedTuple):
    """What an index knows of the files that are as it knows them.

    Attributes:
        lots: The rows of those that are records.
        faults: Why the others are none, by run id.
        gone: Runs whose files are no longer there.
    """

    lots: list[CellRuns]
    faults: dict[str, str]
    gone: list[str]

    def run_ids(self) -> set[str]:
        """All runs but those that are gone."""
        return set(self.faults).union(*(lot.run_ids for lot in self.lots))


class Index:
    """The SQLite file of one store.

    Args:
        path: Where it is; it need not be there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._usable = True

    def read(self, found: Mapping[str, Stamp]) -> Held:
        """What it knows of the files that are as it knows them.

        Args:
            found: All files of the store.
        """
        nothing = Held([], {}, [])
        if not self._path.is_file():
            return nothing
        try:
            with closing(self._connect()) as db:
                self._usable = _version(db) == VERSION
                return _held(db, found) if self._usable else nothing
        except sqlite3.OperationalError as error:  # locked, or on a disk that cannot lock
            logger.info("%s cannot be read: %s", self._path, error)
        except (sqlite3.Error, struct.error, *_WRONG) as error:
            logger.info("%s is damaged and is made again: %s", self._path, error)
            self._usable = False
        return nothing

    def write(
        self, found: Mapping[str, Stamp], fresh: Mapping[str, RunRow | str], gone: Iterable[str]
    ) -> None:
        """Take in what was read, and forget what is gone; nothing happens where it may not write.

        Args:
            found: The stamps of the files, taken before they were read.
            fresh: What they hold: a row, or why there is none.
            gone: Runs whose files are no longer there.
        """
        try:
            if not self._usable:
                self._discard()
            with closing(self._connect()) as db:
                db.execute("begin immediate")
                if _version(db) != VERSION:
                    for table in _TABLES:
                        db.execute(table)
                    db.execute(f"pragma user_version = {VERSION}")
                db.executemany("delete from runs where run_id = ?", ((run_id,) for run_id in gone))
                _take_in(db, found, fresh)
                db.execute("commit")
        except (sqlite3.Error, OSError) as error:
            logger.info("%s cannot be written: %s", self._path, error)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)

    def _discard(self) -> None:
        for suffix in ("", "-journal", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)


def _held(db: sqlite3.Connection, found: Mapping[str, Stamp]) -> Held:
    texts = db.execute("select id, content from shared")
    common = {key: shared(text) for key, text in texts if key == key_of(text)}
    gone: list[str] = []
    runs: defaultdict[int, tuple[list[str], list[bytes]]] = defaultdict(lambda: ([], []))
    rows = db.execute(f"select {_COLUMNS} from runs")
    for run_id, inode, size, changed, key, checksum, packed in rows:
        stamp = found.get(run_id)
        if stamp is None:
            gone.append(run_id)
        elif stamp == (inode, size, changed) and checksum == check(key, packed):
            run_ids, own = runs[key]
            run_ids.append(run_id)
            own.append(packed)
    faults = zip(*runs.pop(_FAULT, ((), ())), strict=True)
    return Held(
        [join(common[key], *columns) for key, columns in runs.items()],
        {run_id: reason.decode() for run_id, reason in faults},
        gone,
    )


def _take_in(
    db: sqlite3.Connection, found: Mapping[str, Stamp], fresh: Mapping[str, RunRow | str]
) -> None:
    texts: dict[int, str] = {}
    rows: list[tuple[object, ...]] = []
    for run_id, entry in fresh.items():
        if isinstance(entry, str):
            key, packed = _FAULT, entry.encode()
        else:
            text, packed = split(entry)
            texts[key := key_of(text)] = text
        rows.append((run_id, *found[run_id], key, check(key, packed), packed))
    db.executemany("insert or replace into shared values (?, ?)", texts.items())
    db.executemany("insert or replace into runs values (?, ?, ?, ?, ?, ?, ?)", rows)
    db.execute("delete from shared where id not in (select shared from runs)")


def _version(db: sqlite3.Connection) -> int:
    version: int = db.execute("pragma user_version").fetchone()[0]
    return version
