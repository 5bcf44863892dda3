"""Which records a store holds: what its folders say, without opening a file."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

from ordbench.errors import StoreError
from ordbench.utils.canonical_json import RUN_ID_LENGTH
from ordbench.utils.files import cannot_read

ARCHIVE = "records.jsonl.gz"
PREDICTIONS, HEAD = ".parquet", ".safetensors"  # of files beside a record, which it names
RUN_ID = re.compile(f"[0-9a-f]{{{RUN_ID_LENGTH}}}")
Stamp = tuple[int, int, int]
"""Inode, size and time of change of a file: a change of its content changes one of them, unless the
time is set back. `ordbench results verify` reads every file."""

_INT64_MAX = 2**63 - 1
_HEXADECIMAL = re.compile("[0-9a-f]*")
LEFT_OUT = "%s is not a record and is left out: %s; `ordbench results verify` finds all such files"
_FOREIGN = "%s is left out: its name is not that of a run"
logger = logging.getLogger(__name__)


def record_path(root: Path, run_id: str) -> Path:
    """The path of a run's record; predictions and trained head are beside it."""
    return root / "runs" / run_id[:2] / f"{run_id}.json"


def trace_path(root: Path, run_id: str) -> Path:
    """The path of a failed run's traceback."""
    return record_path(root, run_id).with_suffix(".trace")


def skip_path(root: Path, key: str) -> Path:
    """Where the note of a skipped cell is."""
    return root / "skipped" / f"{key}.json"


def archive_path(path: Path) -> Path | None:
    """The compact file that ``path`` is or holds; None where it is a store."""
    compact = path if path.is_file() else path / ARCHIVE
    return compact if compact.is_file() else None


def stamps(root: Path) -> dict[str, Stamp]:
    """The record files of a store by run id; files of other names are logged and left out.

    Raises:
        StoreError: If a folder cannot be read.
    """
    found: dict[str, Stamp] = {}
    for folder in entries(root / "runs"):
        if is_folder(folder):
            found |= _records(folder)
    return found


def is_folder(entry: os.DirEntry[str]) -> bool:
    """Whether it is a folder; a link to itself is none."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def entries(folder: Path | str) -> list[os.DirEntry[str]]:
    """The entries of a folder, in no order; none if it does not exist.

    Raises:
        StoreError: If it cannot be read.
    """
    try:
        with os.scandir(folder) as found:
            return list(found)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise cannot_read(Path(folder), error) from error


def no_records(path: Path) -> StoreError:
    """What a user reads who asks for records where there are none."""
    return StoreError(
        f"no records in {path}: looked for {path / 'runs'} and {path / ARCHIVE}; "
        "`ordbench run --head linear --dataset drawn-faces` makes some"
    )


def _records(folder: os.DirEntry[str]) -> dict[str, Stamp]:
    found: dict[str, Stamp] = {}
    first = folder.name
    for file in entries(folder.path):
        name = file.name
        if name[RUN_ID_LENGTH:] == ".json" and name[:2] == first:
            try:
                stat = file.stat()
            except FileNotFoundError:
                continue  # removed since the folder was listed
            except OSError:  # a link to itself; who reads it names it
                stat = file.stat(follow_symlinks=False)
            # An inode may have 64 bits without a sign; SQLite has room for 63.
            inode = stat.st_ino & _INT64_MAX
            found[name[:RUN_ID_LENGTH]] = inode, stat.st_size, stat.st_mtime_ns
        elif name.endswith(".json") and not name.startswith("."):
            logger.warning(_FOREIGN, file.path)
    if not _HEXADECIMAL.fullmatch("".join(found)):  # once a folder: once a name takes far longer
        for name in [name for name in found if not RUN_ID.fullmatch(name)]:
            del found[name]
            logger.warning(_FOREIGN, os.path.join(folder.path, f"{name}.json"))
    return found
