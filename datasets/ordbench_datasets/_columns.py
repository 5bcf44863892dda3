"""Columns of a NumPy, Parquet or CSV file as arrays, by name; nothing is unpickled."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Callable, Collection, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ordbench.errors import DatasetError
from ordbench.utils.text import one_line
from ordbench_datasets.families.cells import plain_column

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

Columns: TypeAlias = "dict[str, NDArray[Any]]"
"""Arrays ``(N,)`` or ``(N, D)`` of equal N, by the plain names of their columns."""

KINDS = (".npz", ".npy", ".parquet", ".csv")


def read_columns(path: Path, words: Collection[str]) -> Columns:
    """Read all columns of a file; the only one of a ``.npy`` file is called ``features``.

    Args:
        path: The file; its ending says what it is.
        words: Columns of a CSV file that are read as text, as ``007`` is not 7 there.

    Raises:
        DatasetError: If the file cannot be read, or if its columns are not equally long.
    """
    read = {".npz": _npz, ".npy": _npy, ".parquet": _parquet, ".csv": _csv}.get(path.suffix.lower())
    if read is None or not path.is_file():
        raise DatasetError(f"{path} is not a file of features; wanted {', '.join(KINDS)}")
    try:
        columns = read(path, words)
    except DatasetError:
        raise
    except Exception as error:  # of five libraries
        raise DatasetError(f"{path} cannot be read: {one_line(error)}") from None
    named = {plain_column(name): column for name, column in columns}
    if len(named) < len(columns):
        names = [plain_column(name) for name, _ in columns]
        twice = next(name for name in names if names.count(name) > 1)
        raise DatasetError(f"{path} has the column {twice!r} twice; keep one of them")
    lengths = {name: len(column) if column.ndim else 0 for name, column in named.items()}
    if len(set(lengths.values())) > 1:
        raise DatasetError(f"{path} has columns of different lengths: {lengths}")
    if not sum(lengths.values()):
        raise DatasetError(f"{path} has no rows; wanted one a sample")
    return named


Named: TypeAlias = "list[tuple[str, NDArray[Any]]]"


def _npz(path: Path, words: Collection[str]) -> Named:
    import numpy as np

    with np.load(path, allow_pickle=False) as arrays:
        return [(name, arrays[name]) for name in arrays.files]


def _npy(path: Path, words: Collection[str]) -> Named:
    import numpy as np

    return [("features", np.load(path, allow_pickle=False))]


def _parquet(path: Path, words: Collection[str]) -> Named:
    import pandas as pd

    return _of_frame(pd.read_parquet(path))


def _csv(path: Path, words: Collection[str]) -> Named:
    """Read a CSV file; a cell that is no number makes its column one of text."""
    import pandas as pd

    with path.open(encoding="utf-8-sig", newline="") as lines:
        first = lines.readline()
        lines.seek(0)
        separator = max(",;\t", key=first.count)
        header = next(csv.reader(lines, delimiter=separator, strict=True), [])
    texts = {name: str for name in header if plain_column(name) in words}
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)  # a line with too many cells
        frame = pd.read_csv(
            path,
            sep=separator,
            encoding="utf-8-sig",
            names=range(len(header)),
            header=0,
            dtype={number: str for number, name in enumerate(header) if name in texts},
            keep_default_na=False,
            index_col=False,
            low_memory=False,
        )
    return [(name, column) for name, (_, column) in zip(header, _of_frame(frame), strict=True)]


def _of_frame(frame: pd.DataFrame) -> Named:
    return [(str(name), _array(frame[name].to_numpy())) for name in frame.columns]


def _array(column: NDArray[Any]) -> NDArray[Any]:
    """A column; one whose cells are lists of equal length has two dimensions."""
    import numpy as np

    if column.dtype == object and len(column) and isinstance(column[0], list | np.ndarray):
        return np.stack([np.asarray(cell) for cell in column])
    return column


def as_texts(column: NDArray[Any]) -> list[str]:
    """Cells as text; what is missing is empty."""
    return [_text(cell) for cell in column]  # not tolist: a float32 of 0.1 is written so


def _text(cell: object) -> str:
    if cell is None or cell != cell or str(cell) == "<NA>":  # NaN is not equal to itself
        return ""
    return (cell.decode() if isinstance(cell, bytes) else str(cell)).strip()


def as_features(columns: Sequence[tuple[str, NDArray[Any]]], where: Path) -> NDArray[np.float32]:
    """Columns side by side, ``(N, D)``.

    Raises:
        DatasetError: Naming the column and the row of what is no finite number.
    """
    import numpy as np

    return np.concatenate([_numbers(column, name, where) for name, column in columns], axis=1)


def _numbers(column: NDArray[Any], name: str, where: Path) -> NDArray[np.float32]:
    import numpy as np

    flat = column if column.ndim > 1 else column[:, None]
    if flat.ndim > 2:
        raise DatasetError(f"{where}, {name}: wanted shape (N, D), got {column.shape}")
    if flat.dtype.kind not in "biuf":
        _refuse(flat, name, where, _is_finite)
        raise DatasetError(f"{where}, {name}: wanted numbers, got {flat.dtype}; or add drop={name}")
    with np.errstate(over="ignore"):
        numbers = flat.astype(np.float32)
    if not np.isfinite(numbers).all():
        _refuse(numbers, name, where, _is_finite)
    return numbers


def _is_finite(cell: object) -> bool:
    try:
        return isfinite(float(str(cell)))
    except ValueError:
        return False


def _refuse(
    cells: NDArray[Any], name: str, where: Path, is_right: Callable[[object], bool]
) -> None:
    import numpy as np

    wrong = next((place for place, cell in np.ndenumerate(cells) if not is_right(cell)), None)
    if wrong:
        raise DatasetError(
            f"{where}, {name}, row {wrong[0] + 1}: wanted a finite number in single precision, got "
            f"{str(cells[wrong])[:40]!r}; correct it, or leave the column out by drop={name}"
        )
