"""Results of several machines in one store: no finished run is replaced."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from ordbench.errors import StoreError
from ordbench.results.diff import changes_of
from ordbench.results.layout import archive_path, no_records, record_path, stamps
from ordbench.results.rows import flatten
from ordbench.results.store import Store, read_all
from ordbench.runs.record import Record

Outcome = Literal["copied", "already present", "conflict", "left out"]


class Merged(NamedTuple):
    """What became of one run.

    Attributes:
        what: ``copied``; ``already present``, with the same outcome or a better one; in
            ``conflict`` with a run of another outcome, which stays; or ``left out``, as it is not
            whole.
        where: The file that it came from.
        reason: Why it was not copied, in one line.
    """

    what: Outcome
    where: Path
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.where}: {self.reason}"


def merge(into: Path, source: Path) -> Iterator[Merged]:
    """Copy runs from one store to another, with predictions and trained heads, one by one.

    A run that is done takes the place of a failure, of a file that is not whole, and of the same
    outcome without its trained head; nothing else is replaced. Whoever stops this in the middle
    leaves two stores that are whole.

    Args:
        into: Where runs go; it is made if it is not there.
        source: Where they come from; it is only read.

    Raises:
        StoreError: If one of the two is no store or they are the same, or nothing can be written.
    """
    if compact := archive_path(source):
        raise StoreError(
            f"{compact} is an archive without predictions, so it cannot be merged; "
            "merge the folder that it was made from"
        )
    if compact := archive_path(into):
        raise StoreError(
            f"{compact} is an archive and would hide the merged runs; choose another folder"
        )
    found = stamps(source)
    if not found:
        raise no_records(source)
    if into.exists() and into.samefile(source):
        raise StoreError(f"{into} and {source} are one folder; merge another one into it")
    target, origin = Store(into), Store(source)
    for path, record in read_all(source, sorted(found)):
        if isinstance(record, ValueError):
            yield Merged("left out", path, str(record))
        else:
            yield _copy(target, origin, path, record)


def _copy(target: Store, origin: Store, path: Path, record: Record) -> Merged:
    try:
        files = origin.files(record)
    except ValueError as error:
        return Merged("left out", path, str(error))
    trace = _trace(path) if record.status == "failed" else ""
    there = target.find(record.run_id)
    if there is None or (there.status == "failed" and record.status == "done"):
        target.keep(record, files, trace=trace)
        return Merged("copied", path)
    if record.status == "failed":
        return Merged("already present", path)
    changes = changes_of(flatten(there), flatten(record))
    headless = there.kept_head is None and record.kept_head is not None
    if not changes and (headless or not _whole(target, there)):
        target.keep(record, files)
        return Merged("copied", path)
    if changes:
        kept = record_path(target.root, record.run_id)
        more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
        return Merged("conflict", path, f"{kept} stays, which differs in {changes[0]}{more}")
    return Merged("already present", path)


def _whole(store: Store, record: Record) -> bool:
    """Whether a record's other files are there, too."""
    try:
        store.files(record)
    except ValueError:
        return False
    return True


def _trace(record: Path) -> str:
    try:
        return record.with_suffix(".trace").read_text("utf-8")
    except FileNotFoundError:
        return ""
