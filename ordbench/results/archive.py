"""Many records in one small file, for results that are published."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from ordbench.errors import StoreError
from ordbench.results.layout import COMPACT
from ordbench.runs.record import Record, from_sealed, to_sealed
from ordbench.utils.files import write_atomic

SUFFIX = ".jsonl.gz"


def write_compact(records: Iterable[Record], path: Path) -> int:
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
    """Make sure that a compact file at ``path`` would not be read in place of a store's records.

    Raises:
        StoreError: If it would.
    """
    if path.name == COMPACT and (path.parent / "runs").is_dir():
        raise StoreError(
            f"{path} would hide the runs in {path.parent / 'runs'}; choose another folder"
        )


def read_compact(path: Path) -> Iterator[Record]:
    """Read what `write_compact` wrote.

    Raises:
        StoreError: If it is not there, a line is not a record, or two are of one run.
    """
    done = 0
    seen = set[str]()
    try:
        with gzip.open(path, "rb") as lines:
            for line in lines:
                record = from_sealed(line)
                if record.run_id in seen:
                    raise ValueError(f"run {record.run_id} stands in an earlier line too")
                seen.add(record.run_id)
                yield record
                done += 1
    except FileNotFoundError:
        raise StoreError(f"no file {path}; `ordbench results publish` makes one") from None
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise StoreError(
            f"{path} line {done + 1}: {error}; take the file as it was published"
        ) from error
