"""Images in the rows of Arrow and Parquet files, read in place: nothing is converted or copied."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple, cast

from ordbench.errors import DatasetError
from ordbench.utils.text import one_line

ENDINGS = (".arrow", ".parquet")
# A row group of a Parquet file is unpacked whole. So many bytes of them stay in memory, and the two
# last ones in any case; several threads read in one order, a few groups apart.
KEPT_BYTES = 2**30
MAX_GROUP_BYTES = 2**31

# What a broken file makes pyarrow raise.
_BROKEN = (OSError, ValueError, LookupError, RuntimeError)

_reading = threading.Lock()  # a Parquet file is read by one thread at a time


@dataclass(frozen=True)
class TableImage:
    """The encoded image in one cell, as an `ordbench.ImageBytes`.

    The cell holds bytes, or a struct with the field ``bytes``, as the datasets library stores them.

    Attributes:
        file: The Arrow or Parquet file.
        column: The column.
        row: The row of the file, from 0 on.
    """

    file: Path
    column: str
    row: int

    def __str__(self) -> str:
        return f"{self.file}/{self.column}[{self.row}]"

    def read(self) -> bytes:
        """See `ordbench.ImageBytes.read`.

        Raises:
            DatasetError: If the file, the cell or its bytes are not there, or cannot be read.
        """
        try:
            cells, place = _cells_around(self.file, self.column, self.row)
            cell: Any = cells[place].as_py()
        except FileNotFoundError:
            raise DatasetError(f"{self} is not there") from None
        except _BROKEN as error:
            raise DatasetError(f"{self} cannot be read: {one_line(error)}") from None
        data: bytes | None = cell.get("bytes") if isinstance(cell, dict) else cell
        if not data:
            raise DatasetError(f"{self} holds no bytes of an image; save it with them, not by path")
        return data


def holds_images(kind: Any) -> bool:  # noqa: ANN401 (pyarrow has no types)
    """Whether cells of an Arrow type hold bytes, as those of a `TableImage` do."""
    import pyarrow as pa

    if pa.types.is_struct(kind):
        return "bytes" in [kind.field(n).name for n in range(kind.num_fields)]
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def schema_of(file: Path) -> Any:  # noqa: ANN401
    """Names and types of the columns, a ``pyarrow.Schema``.

    Raises:
        DatasetError: If the file cannot be read.
    """
    return _read_whole(file, [])


def read_columns(file: Path, columns: Sequence[str]) -> Any:  # noqa: ANN401
    """Some columns of a file, a ``pyarrow.Table``.

    Raises:
        DatasetError: If the file cannot be read or lacks one of them.
    """
    lacking = [name for name in columns if name not in schema_of(file).names]
    if lacking:
        raise DatasetError(f"{file} has no column {lacking[0]!r}, as the files beside it have")
    return _read_whole(file, columns)


def _read_whole(file: Path, columns: Sequence[str]) -> Any:  # noqa: ANN401
    try:
        if file.suffix == ".arrow":
            table = _arrow_table(file)
            return table.select([*columns]) if columns else table.schema
        parquet = _open_parquet(file, _stamp(file)).file
        with _reading:
            return parquet.read(columns=[*columns]) if columns else parquet.schema_arrow
    except _BROKEN as error:
        raise DatasetError(
            f"{file} cannot be read: {one_line(error)}; fetch the file again"
        ) from None


def _cells_around(file: Path, column: str, row: int) -> tuple[Any, int]:
    """Cells of a column that are in memory or mapped into it, and the place of a row's among them.

    Raises:
        Exception: Any of `_BROKEN`.
    """
    if file.suffix == ".arrow":
        return _arrow_table(file).column(column), row
    stamp = _stamp(file)
    parquet = _open_parquet(file, stamp)
    group = bisect_right(parquet.ends, row)
    if group == len(parquet.ends):
        raise IndexError(f"it has no row {row}")
    first = parquet.ends[group - 1] if group else 0
    return _groups.column(_Group(file, stamp, column, group)), row - first


def _stamp(file: Path) -> tuple[int, int]:
    """Another one once the file is replaced."""
    status = file.stat()
    return status.st_mtime_ns, status.st_size


def _arrow_table(file: Path) -> Any:  # noqa: ANN401
    return _open_arrow(file, _stamp(file))


@lru_cache(64)
def _open_arrow(file: Path, stamp: tuple[int, int]) -> Any:  # noqa: ANN401
    """A file of either Arrow format, mapped into memory."""
    import pyarrow as pa

    mapped = pa.memory_map(str(file))
    is_file_format = mapped.read(6) == b"ARROW1"
    mapped.seek(0)
    opened = pa.ipc.open_file(mapped) if is_file_format else pa.ipc.open_stream(mapped)
    return opened.read_all()


class _Parquet(NamedTuple):
    """An open file, and the row behind the last one of each group."""

    file: Any
    ends: list[int]


@lru_cache(16)
def _open_parquet(file: Path, stamp: tuple[int, int]) -> _Parquet:
    from pyarrow.parquet import ParquetFile

    opened = ParquetFile(file, memory_map=True)
    sizes = [opened.metadata.row_group(n).num_rows for n in range(opened.num_row_groups)]
    return _Parquet(opened, [*accumulate(sizes)])


class _Group(NamedTuple):
    """One column of one row group."""

    file: Path
    stamp: tuple[int, int]
    column: str
    number: int


class _RecentGroups:
    """The row groups that were read last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Group, Any] = OrderedDict()
        self._bytes = 0

    def column(self, group: _Group) -> Any:  # noqa: ANN401
        """Its cells; of several threads that ask, the first one reads."""
        with _reading:
            if group not in self._kept:
                self._kept[group] = _unpacked(group)
                self._bytes += self._kept[group].nbytes
            self._kept.move_to_end(group)
            while len(self._kept) > 2 and self._bytes > KEPT_BYTES:
                self._bytes -= self._kept.popitem(last=False)[1].nbytes
            return self._kept[group]


_groups = _RecentGroups()


def _unpacked(group: _Group) -> Any:  # noqa: ANN401
    parquet = _open_parquet(group.file, group.stamp).file
    described = parquet.metadata.row_group(group.number)
    leaves = [described.column(n) for n in range(described.num_columns)]
    size = sum(
        cast(int, leaf.total_uncompressed_size)
        for leaf in leaves
        if leaf.path_in_schema.partition(".")[0] == group.column
    )
    if size > MAX_GROUP_BYTES:
        raise ValueError(
            f"its row group has {size / 2**30:.1f} GiB and is unpacked whole; write the file again "
            "with row_group_size=100"
        )
    return parquet.read_row_group(group.number, columns=[group.column]).column(group.column)
