"""What is wrong with a folder of records: torn, foreign, edited, twice, without predictions."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from ordbench.results.layout import compact_path, entries, no_records, record_path
from ordbench.results.rows import without_paths
from ordbench.results.store import Store
from ordbench.runs.record import Record, from_sealed
from ordbench.utils.canonical_json import RUN_ID_LENGTH, EditedError, canonical

Kind = Literal["torn", "edited", "foreign", "duplicate", "predictions"]
_OURS = re.compile(
    rf"(?P<folder>[0-9a-f]{{2}})/(?P=folder)[0-9a-f]{{{RUN_ID_LENGTH - 2}}}\.(json|parquet|trace)"
)


class Finding(NamedTuple):
    """One thing that is wrong.

    Attributes:
        kind: ``torn`` is no whole record, ``edited`` not the record that was written, ``foreign``
            does not belong where it is, ``duplicate`` is a run that is there twice, and
            ``predictions`` are missing or not those of the record.
        where: The file, and the line in a compact one.
        reason: In one line.
    """

    kind: Kind
    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.reason}"


class Verification:
    """A look at every record of a compact file, of a folder with one in it, or of a store.

    Args:
        path: The file or folder.

    Attributes:
        records: How many records were read so far.
    """

    def __init__(self, path: Path) -> None:
        self.records = 0
        self._path = path
        self._runs: dict[str, str] = {}
        self._works: dict[str, str] = {}

    def findings(self) -> Iterator[Finding]:
        """All that is wrong, file by file.

        Raises:
            StoreError: If there is not one file to look at, or a folder cannot be read.
        """
        compact = compact_path(self._path)
        if compact:
            yield from self._lines(compact)
        store = Store(self._path)
        files = list(_walk(self._path / "runs")) if compact != self._path else []
        if not compact and not files:
            raise no_records(self._path)
        for file in files:
            name = file.relative_to(self._path / "runs").as_posix()
            if not _OURS.fullmatch(name):
                yield self._stray(file)
            elif file.suffix == ".json":
                yield from self._file(store, file)

    def _file(self, store: Store, path: Path) -> Iterator[Finding]:
        try:
            content = path.read_bytes()
        except OSError as error:
            if os.path.lexists(path):  # else it was removed since the folder was listed
                yield Finding("torn", str(path), f"it cannot be read: {error.strerror}")
            return
        record = self._record(content, str(path))
        if isinstance(record, Finding):
            yield record
        elif record.run_id != path.stem:
            yield self._misplaced(record, path)
        else:
            yield from self._twice(record, str(path))
            try:
                store.read_packed(record)
            except ValueError as error:
                yield Finding("predictions", str(path.with_suffix(".parquet")), str(error))

    def _lines(self, path: Path) -> Iterator[Finding]:
        number = 0
        try:
            with gzip.open(path, "rb") as lines:
                for number, line in enumerate(lines, start=1):
                    where = f"{path} line {number}"
                    record = self._record(line, where)
                    if isinstance(record, Finding):
                        yield record
                    else:
                        yield from self._twice(record, where)
        except (OSError, EOFError, zlib.error) as error:
            yield Finding("torn", f"{path} line {number + 1}", str(error))

    def _record(self, content: bytes, where: str) -> Record | Finding:
        self.records += 1
        try:
            return from_sealed(content)
        except EditedError as error:
            return Finding("edited", where, str(error))
        except ValueError as error:
            return Finding("torn", where, str(error))

    def _twice(self, record: Record, where: str) -> Iterator[Finding]:
        first = self._runs.setdefault(record.run_id, where)
        if first != where:
            yield Finding("duplicate", where, f"run {record.run_id} stands in {first} too")
            return
        # The id is made of these, so they cannot be equal under two ids.
        spec = without_paths(record.spec).model_dump(mode="json")
        work = canonical([spec, {**record.hashes}, {**record.versions}])
        run_id = self._works.setdefault(hashlib.sha256(work.encode()).hexdigest(), record.run_id)
        if run_id != record.run_id:
            yield Finding("duplicate", where, f"it is the work of run {run_id} under another id")

    def _stray(self, path: Path) -> Finding:
        if path.suffix == ".json":
            try:
                return self._misplaced(from_sealed(path.read_bytes()), path)
            except (OSError, ValueError):
                pass
        return Finding("foreign", str(path), "its name is not one that ordbench gives")

    def _misplaced(self, record: Record, path: Path) -> Finding:
        place = record_path(self._path, record.run_id)
        if place.exists():
            reason = f"it is the record of run {record.run_id}, which stands in {place}"
            return Finding("duplicate", str(path), reason)
        reason = f"it is the record of run {record.run_id}, whose place is {place}"
        return Finding("foreign", str(path), reason)


def _walk(folder: Path) -> Iterator[Path]:
    """All files below a folder but the hidden ones, among them those that writers are at."""
    for entry in sorted(entries(folder), key=lambda entry: entry.name):
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(Path(entry.path))
        else:
            yield Path(entry.path)
