"""An index of a store: the rows of its records in one SQLite file, so that tables open no record.

The record files are the truth. Every answer compares each file's inode, size and time of change
with the index, and reads the files that differ. The index may be missing, old, damaged, locked or
read-only: the answer is the same, and only slower. Writers of records never touch it.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from ordbench.results.layout import Stamp
from ordbench.results.rows import CellRuns, RunRow

VERSION = 7  # raised when the columns or the fields of `RunRow` change
INDEX = "index.sqlite"
_BUSY_SECONDS = 10.0
_FILE = "run_id, inode, size, changed, cell, fault"
_OWN = f"{_FILE}, created, data_seed, train_seed, seconds_fit, val_mae"
_TABLES = (
    "create table cell (id integer primary key, shared text)",
    f"create table run ({_OWN}, primary key (run_id)) without rowid",
    "create table rescored (run_id, name, code, scored_as, value, reason, "
    "primary key (run_id, name)) without rowid",
)

# What damaged bytes look like to code that takes them for rows.
_DAMAGED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
logger = logging.getLogger(__name__)


class Rescored(NamedTuple):
    """A score that was computed from the stored predictions of one run.

    Attributes:
        column: Its name in `RunRow.metrics`; empty if there is none.
        value: The score.
        reason: Why there is none, or why it says nothing.
    """

    column: str
    value: float
    reason: str


class Indexed(NamedTuple):
    """What an index knows of the files that did not change since.

    Attributes:
        cells: The rows of those that are records.
        faults: Why the others are not, by run id.
        gone: Runs whose files no longer exist.
    """

    cells: list[CellRuns]
    faults: dict[str, str]
    gone: list[str]

    def run_ids(self) -> set[str]:
        """All runs but those that are gone."""
        return set(self.faults).union(*(cell.run_ids for cell in self.cells))


class Index:
    """The SQLite file of one store: a row a run, a column a score.

    Args:
        path: Where it is; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._usable = True

    def read(self, found: Mapping[str, Stamp], scores: Collection[str] | None = None) -> Indexed:
        """The rows of the files that did not change since they were indexed.

        Args:
            found: All files of the store.
            scores: Names of the scores and baselines to read; None for all.
        """
        nothing = Indexed([], {}, [])
        if not self._path.is_file():
            return nothing
        try:
            with closing(self._connect()) as db:
                self._usable = _version(db) == VERSION
                return _read(db, found, scores) if self._usable else nothing
        except sqlite3.OperationalError as error:  # locked, or on a disk that cannot lock
            logger.info("%s cannot be read: %s", self._path, error)
        except (sqlite3.Error, *_DAMAGED) as error:
            logger.info("%s is damaged and is made again: %s", self._path, error)
            self._usable = False
        return nothing

    def write(
        self, found: Mapping[str, Stamp], fresh: Mapping[str, RunRow | str], gone: Sequence[str]
    ) -> None:
        """Add rows and remove those of files that are gone; does nothing if it may not write.

        Args:
            found: The stamps of the files, taken before they were read.
            fresh: What they hold: a row, or why there is none.
            gone: Runs whose files no longer exist.
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
                db.executemany("delete from run where run_id = ?", ((run_id,) for run_id in gone))
                changed = ((run_id,) for run_id in (*gone, *fresh))
                db.executemany("delete from rescored where run_id = ?", changed)
                _insert(db, found, fresh)
                db.execute("delete from cell where id not in (select cell from run)")
                db.execute("commit")
        except (sqlite3.Error, OSError) as error:
            logger.info("%s cannot be written: %s", self._path, error)

    def rescored(self, name: str, code: str) -> dict[str, Rescored]:
        """The computed scores of one name, by run id.

        Args:
            name: Metric and decoding.
            code: Hash of the code that computed them.
        """
        try:
            with closing(self._connect()) as db:
                asked = "select run_id, scored_as, value, reason from rescored"
                rows = db.execute(f"{asked} where name = ? and code = ?", (name, code))
                return {
                    run_id: Rescored(column, math.nan if value is None else value, reason)
                    for run_id, column, value, reason in rows
                }
        except sqlite3.Error as error:
            logger.info("%s cannot be read: %s", self._path, error)
            return {}

    def keep_rescored(self, name: str, code: str, scores: Mapping[str, Rescored]) -> None:
        """Keep computed scores for the next table; does nothing if it may not write."""
        rows = ((run_id, name, code, *score) for run_id, score in scores.items())
        try:
            with closing(self._connect()) as db, db:
                db.execute("begin immediate")
                db.executemany("insert or replace into rescored values (?, ?, ?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            logger.info("%s cannot be written: %s", self._path, error)

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)

    def _discard(self) -> None:
        for suffix in ("", "-journal", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)


def _read(
    db: sqlite3.Connection, found: Mapping[str, Stamp], scores: Collection[str] | None
) -> Indexed:
    columns = [name for name in _columns(db) if scores is None or name[2:] in scores]
    asked = ", ".join([_OWN, *map(_quoted, columns)])
    gone: list[str] = []
    cells: defaultdict[int | None, list[Sequence[object]]] = defaultdict(list)
    for row in db.execute(f"select {asked} from run"):
        stamp = found.get(row[0])
        if stamp is None:
            gone.append(row[0])
        elif stamp == row[1:4]:
            cells[row[4]].append(row)
    faults = {str(row[0]): str(row[5]) for row in cells.pop(None, ())}
    shared = dict(db.execute("select id, shared from cell"))
    return Indexed(
        [_cell(json.loads(shared[cell]), rows, columns) for cell, rows in cells.items()],
        faults,
        gone,
    )


def _cell(shared: dict[str, Any], rows: Sequence[Sequence[Any]], columns: list[str]) -> CellRuns:
    """The runs of one cell; SQLite has no NaN, so a score that is null was undefined."""
    values = list(zip(*rows, strict=True))
    run_ids, created, data_seeds, train_seeds, seconds, val_maes = values[0], *values[6:11]
    scores = dict(zip(columns, values[11:], strict=True))
    metrics, baseline = (
        {
            name: [math.nan if value is None else value for value in scores[f"{kind}:{name}"]]
            for name in shared.pop(field)
            if f"{kind}:{name}" in scores
        }
        for kind, field in (("m", "metrics"), ("b", "baseline"))
    )
    first = RunRow(
        **shared,
        run_id=run_ids[0],
        created=created[0],
        data_seed=data_seeds[0],
        train_seed=train_seeds[0],
        seconds_fit=seconds[0],
        val_mae=val_maes[0],
        metrics={name: values[0] for name, values in metrics.items()},
        baseline={name: values[0] for name, values in baseline.items()},
    )
    return CellRuns(
        first=first,
        run_ids=run_ids,
        created=created,
        seeds=list(zip(data_seeds, train_seeds, strict=True)),
        seconds=seconds,
        val_maes=val_maes,
        metrics=metrics,
        baseline=baseline,
    )


def _insert(
    db: sqlite3.Connection, found: Mapping[str, Stamp], fresh: Mapping[str, RunRow | str]
) -> None:
    rows = {run_id: row for run_id, row in fresh.items() if isinstance(row, RunRow)}
    scores = {run_id: dict(_named_scores(row)) for run_id, row in rows.items()}
    names = list(dict.fromkeys(name for values in scores.values() for name in values))
    for name in sorted(set(names).difference(_columns(db))):
        db.execute(f"alter table run add column {_quoted(name)} real")
    shared = {run_id: row.shared for run_id, row in rows.items()}
    cells = {text: _id_of(text) for text in set(shared.values())}
    db.executemany(
        "insert or replace into cell values (?, ?)", ((key, text) for text, key in cells.items())
    )
    columns = ", ".join([_OWN, *map(_quoted, names)])
    marks = ", ".join("?" * (11 + len(names)))
    nothing = (None,) * len(names)
    db.executemany(
        f"insert or replace into run ({columns}) values ({marks})",
        (
            (run_id, *found[run_id], None, entry, None, None, None, None, None, *nothing)
            if isinstance(entry, str)
            else (
                *(run_id, *found[run_id], cells[shared[run_id]], None, entry.created),
                *(entry.data_seed, entry.train_seed, entry.seconds_fit, entry.val_mae),
                *map(scores[run_id].get, names),
            )
            for run_id, entry in fresh.items()
        ),
    )


def _named_scores(row: RunRow) -> Iterator[tuple[str, float]]:
    """Columns of scores: ``m:NAME_DECODE`` and, of the baseline, ``b:NAME``."""
    yield from ((f"m:{name}", value) for name, value in row.metrics.items())
    yield from ((f"b:{name}", value) for name, value in row.baseline.items())


def _columns(db: sqlite3.Connection) -> list[str]:
    columns = [row[1] for row in db.execute("pragma table_info(run)")]
    return [name for name in columns if name[:2] in {"m:", "b:"}]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _id_of(shared: str) -> int:
    """By content, so that two processes that write at once give a cell the same id."""
    return int.from_bytes(hashlib.sha256(shared.encode()).digest()[:7], "big")


def _version(db: sqlite3.Connection) -> int:
    version: int = db.execute("pragma user_version").fetchone()[0]
    return version
