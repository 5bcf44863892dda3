"""Many records in one small file, for results that are published."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from ordbench.errors import StoreError
from ordbench.results.layout import ARCHIVE
from ordbench.runs.record import Record, from_sealed, to_sealed
from ordbench.utils.files import cannot_read, write_atomic
from ordbench.utils.text import one_line

SUFFIX = ".jsonl.gz"


def write_archive(records: Iterable[Record], path: Path) -> int:
    """Write records as one file of gzipped JSON lines, sorted by run id.

    The same records give the same lines; the compressed bytes too, with one version of zlib.

    Returns:
        How many records it holds.

    Raises:
        StoreError: If the name does not end in ``.jsonl.gz`` (so that no other file is lost), or
            it cannot be written.
    """
    if not path.name.endswith(SUFFIX):
        raise StoreError(f"{path}: wanted a name that ends in {SUFFIX}; write to {path}{SUFFIX}")
    lines = {record.run_id: to_sealed(record) + b"\n" for record in records}
    file = io.BytesIO()
    # No name and no time in the header: the bytes depend on the records alone.
    with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as stream:
        for _, line in sorted(lines.items()):
            stream.write(line)
    write_atomic(path, file.getvalue())
    return len(lines)


def refuse_to_hide(path: Path) -> None:
    """Make sure that an archive at ``path`` would not be read in place of a store's records.

    Raises:
        StoreError: If it would.
    """
    if path.name == ARCHIVE and (path.parent / "runs").is_dir():
        raise StoreError(
            f"{path} would hide the runs in {path.parent / 'runs'}; choose another folder"
        )


def read_archive(path: Path) -> Iterator[Record]:
    """Read what `write_archive` wrote.

    Raises:
        StoreError: If it is not there, a line is not a record, or two are of one run.
    """
    seen = set[str]()
    for number, record in read_lines(path):
        if isinstance(record, Record) and record.run_id in seen:
            record = ValueError(f"run {record.run_id} is also in an earlier line")
        if isinstance(record, ValueError):
            raise StoreError(
                f"{path} line {number}: {record}; take the file as it was published"
            ) from record
        seen.add(record.run_id)
        yield record


def read_lines(path: Path) -> Iterator[tuple[int, Record | ValueError]]:
    """The number of each line, and its record or why it is not one; damage ends the file.

    Raises:
        StoreError: If the file is not there or may not be read.
    """
    number = 0
    try:
        with gzip.open(path, "rb") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    yield number, from_sealed(line)
                except ValueError as error:
                    yield number, error
    except FileNotFoundError:
        raise StoreError(f"no file {path}; `ordbench results publish` makes one") from None
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        yield number + 1, ValueError(f"it is damaged or not whole: {one_line(error)}")
    except OSError as error:
        raise cannot_read(path, error) from error
