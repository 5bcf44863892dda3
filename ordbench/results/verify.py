"""What is wrong with a folder of records: torn, foreign, edited, duplicate or incomplete."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from ordbench.results.archive import read_lines
from ordbench.results.layout import (
    HEAD,
    PREDICTIONS,
    archive_path,
    entries,
    is_folder,
    no_records,
    record_path,
)
from ordbench.results.store import Store
from ordbench.runs.record import Record, read_record
from ordbench.utils.canonical_json import RUN_ID_LENGTH, EditedError

Kind = Literal["torn", "edited", "foreign", "duplicate", "predictions", "head"]
_OURS = re.compile(
    rf"(?P<folder>[0-9a-f]{{2}})/(?P=folder)[0-9a-f]{{{RUN_ID_LENGTH - 2}}}"
    r"\.(json|parquet|safetensors|trace)"
)


class Finding(NamedTuple):
    """One thing that is wrong.

    Attributes:
        kind: ``torn`` is no whole record, ``edited`` not the record that was written, ``foreign``
            does not belong where it is, ``duplicate`` is a second record of one run, and
            ``predictions`` or the trained ``head`` are missing or not those of the record.
        where: The file, and the line in an archive.
        reason: In one line.
    """

    kind: Kind
    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.reason}"


class Verification:
    """Reads every record of an archive, of a folder with one in it, or of a store.

    Args:
        path: The file or folder.

    Attributes:
        records: How many records were read so far.
    """

    def __init__(self, path: Path) -> None:
        self.records = 0
        self._path = path
        self._runs: dict[str, str] = {}

    def findings(self) -> Iterator[Finding]:
        """All that is wrong, file by file.

        Raises:
            StoreError: If there is not one file to look at, or a folder cannot be read.
        """
        archive = archive_path(self._path)
        if archive:
            for number, record in read_lines(archive):
                yield from self._record(record, f"{archive} line {number}")
        store = Store(self._path)
        files = list(_walk(self._path / "runs")) if archive != self._path else []
        if not archive and not files:
            raise no_records(self._path)
        for file in files:
            name = file.relative_to(self._path / "runs").as_posix()
            if not _OURS.fullmatch(name):
                yield self._foreign(file)
            elif file.suffix == ".json":
                yield from self._file(store, file)

    def _file(self, store: Store, path: Path) -> Iterator[Finding]:
        try:
            record: Record | ValueError = read_record(path)
        except FileNotFoundError:
            if path.is_symlink():
                yield Finding("torn", str(path), "it is a link to nothing")
            return  # else it was removed since the folder was listed
        except ValueError as error:
            record = error
        if isinstance(record, Record) and record.run_id != path.stem:
            self.records += 1
            yield self._misplaced(record, path)
            return
        yield from self._record(record, str(path))
        if isinstance(record, Record):
            yield from _of_files(store, record, path)

    def _record(self, record: Record | ValueError, where: str) -> Iterator[Finding]:
        self.records += 1
        if isinstance(record, ValueError):
            kind: Kind = "edited" if isinstance(record, EditedError) else "torn"
            yield Finding(kind, where, str(record))
        elif (first := self._runs.setdefault(record.run_id, where)) != where:
            yield Finding("duplicate", where, f"run {record.run_id} is also in {first}")

    def _foreign(self, path: Path) -> Finding:
        if path.suffix == ".json":
            try:
                return self._misplaced(read_record(path), path)
            except (FileNotFoundError, ValueError):
                pass
        return Finding("foreign", str(path), "its name is not one that ordbench gives")

    def _misplaced(self, record: Record, path: Path) -> Finding:
        place = record_path(self._path, record.run_id)
        kind: Kind = "duplicate" if place.exists() else "foreign"
        there = "is also in" if place.exists() else "belongs in"
        return Finding(
            kind, str(path), f"it is the record of run {record.run_id}, which {there} {place}"
        )


def _of_files(store: Store, record: Record, path: Path) -> Iterator[Finding]:
    files: tuple[tuple[Kind, str, Callable[[Record], object]], ...] = (
        ("predictions", PREDICTIONS, store.predictions_file),
        ("head", HEAD, store.head_file),
    )
    for kind, ending, read in files:
        try:
            read(record)
        except ValueError as error:
            yield Finding(kind, str(path.with_suffix(ending)), str(error))


def _walk(folder: Path) -> Iterator[Path]:
    """All files below a folder but the hidden ones, among them those that writers are at."""
    for entry in sorted(entries(folder), key=lambda entry: entry.name):
        if entry.name.startswith("."):
            continue
        if is_folder(entry) and not _OURS.fullmatch(f"{folder.name}/{entry.name}"):
            yield from _walk(Path(entry.path))
        else:
            yield Path(entry.path)
