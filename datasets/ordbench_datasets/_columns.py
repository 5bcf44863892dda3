"""Columns of a NumPy, Parquet or CSV file as arrays, by name; nothing is unpickled."""

from __future__ import annotations

import csv
import re
import warnings
from collections.abc import Callable, Collection, Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from ordbench.errors import DatasetError
from ordbench.utils.text import counted, one_line
from ordbench_datasets.families.cells import not_utf8, plain_column, separator

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
    if not path.exists():
        raise DatasetError(f"{path} is not there; wanted a file of features ({', '.join(KINDS)})")
    if read is None or not path.is_file():
        raise DatasetError(f"{path} is not a file of features; wanted {', '.join(KINDS)}")
    try:
        columns = read(path, words)
    except DatasetError:
        raise
    except UnicodeDecodeError:
        raise not_utf8(path) from None
    except Exception as error:  # of five libraries
        said = one_line(error)
        if "allow_pickle" in said:
            said = "it holds Python objects; save numbers and text, as by array.astype(float)"
        raise DatasetError(f"{path} cannot be read: {said}") from None
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
        columns = [(name, arrays[name]) for name in arrays.files]
    return [(name, column) for name, column in columns if isinstance(column, np.ndarray)]


def _npy(path: Path, words: Collection[str]) -> Named:
    import numpy as np

    return [("features", np.load(path, allow_pickle=False))]


def _parquet(path: Path, words: Collection[str]) -> Named:
    import pandas as pd

    return _of_frame(pd.read_parquet(path), path)


def _csv(path: Path, words: Collection[str]) -> Named:
    """Read a CSV file; a cell that is no number makes its column one of text."""
    import pandas as pd

    with path.open(encoding="utf-8-sig", newline="") as lines:
        first = lines.readline()
        lines.seek(0)
        delimiter = separator(path, first)
        header = next(csv.reader(lines, delimiter=delimiter, strict=True), [])
    if not header:
        raise DatasetError(
            f"{path} begins with an empty line, or is empty; wanted the column names"
        )
    if unnamed := [place for place, name in enumerate(header, 1) if not name.strip()]:
        raise DatasetError(
            f"{path}: column {unnamed[0]} has no name, as where pandas writes the numbers of the "
            "rows; name it, or save with to_csv(..., index=False)"
        )
    texts = {name: str for name in header if plain_column(name) in words}
    with warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)  # a line with too many cells
        frame = pd.read_csv(
            path,
            sep=delimiter,
            encoding="utf-8-sig",
            names=range(len(header)),
            header=0,
            dtype={number: str for number, name in enumerate(header) if name in texts},
            keep_default_na=False,
            index_col=False,
            low_memory=False,
        )
    return [
        (name, column) for name, (_, column) in zip(header, _of_frame(frame, path), strict=True)
    ]


def _of_frame(frame: pd.DataFrame, where: Path) -> Named:
    columns = [(str(name), frame[name].to_numpy()) for name in frame.columns]
    return [(name, _array(column, name, where)) for name, column in columns]


def _array(column: NDArray[Any], name: str, where: Path) -> NDArray[Any]:
    """A column; one whose cells are lists of equal length has two dimensions.

    Raises:
        DatasetError: If their lengths differ.
    """
    import numpy as np

    if column.dtype == object and len(column) and isinstance(column[0], list | np.ndarray):
        widths = [np.shape(cell) for cell in column]
        for row, width in enumerate(widths, 1):
            if width != widths[0]:
                raise DatasetError(
                    f"{where}, {name}: row {row} has {_size(width)}, row 1 has "
                    f"{_size(widths[0])}; give all rows equally many"
                )
        return np.stack([np.asarray(cell) for cell in column])
    return column


def _size(shape: tuple[int, ...]) -> str:
    return counted(shape[0], "number") if shape else "no list"


def as_texts(column: NDArray[Any]) -> list[str]:
    """Cells as text; what is missing is empty."""
    if column.dtype.kind in "iu":
        return list(map(str, column.tolist()))
    return [_text(cell) for cell in column]  # not tolist: a float32 of 0.1 is written so


def _text(cell: object) -> str:
    if cell is None or cell != cell or str(cell) == "<NA>":  # NaN is not equal to itself
        return ""
    text = cell.decode(errors="backslashreplace") if isinstance(cell, bytes) else str(cell)
    return text.strip()


def as_features(columns: Sequence[tuple[str, NDArray[Any]]], where: Path) -> NDArray[np.float32]:
    """Columns side by side, ``(N, D)``.

    Raises:
        DatasetError: Naming the column and the row of what is no finite number.
    """
    import numpy as np

    read = [_numbers(column, name, where) for name, column in columns]
    return read[0] if len(read) == 1 else np.concatenate(read, axis=1)


def _numbers(column: NDArray[Any], name: str, where: Path) -> NDArray[np.float32]:
    import numpy as np

    flat = column if column.ndim > 1 else column[:, None]
    if not flat.shape[1]:
        raise DatasetError(f"{where}, {name}: wanted at least one number a row, got none")
    if flat.ndim > 2:
        raise DatasetError(f"{where}, {name}: wanted shape (N, D), got {column.shape}")
    if flat.dtype.kind not in "biuf":
        _refuse(flat, name, where, _is_finite)
        got = type(flat.flat[0]).__name__ if flat.dtype == object else flat.dtype
        raise DatasetError(
            f"{where}, {name}: wanted numbers, got {got}; convert them{_instead(name)}"
        )
    with np.errstate(over="ignore"):
        numbers = flat.astype(np.float32, copy=False)
    if not isfinite(numbers.min()) or not isfinite(numbers.max()):  # no array of N x D answers
        _refuse(flat, name, where, _is_single)
    return numbers


def _is_finite(cell: object) -> bool:
    try:
        return isfinite(float(str(cell)))
    except ValueError:
        return False


def _is_single(cell: object) -> bool:
    return abs(float(str(cell))) < 2.0**128  # above the largest number in single precision


def _refuse(
    cells: NDArray[Any], name: str, where: Path, is_right: Callable[[object], bool]
) -> None:
    import numpy as np

    wrong = next((place for place, cell in np.ndenumerate(cells) if not is_right(cell)), None)
    if wrong:
        got = str(cells[wrong])[:40]
        comma = re.fullmatch(r"[+-]?\d+,\d+", got)
        point = " (decimals have a point, as in 2.5)" if comma else ""
        raise DatasetError(
            f"{where}, {name}, row {wrong[0] + 1}: wanted a finite number in single precision"
            f"{point}, got {got!r}; correct it{_instead(name)}"
        )


def _instead(name: str) -> str:
    """What else to do about a column; the one with all features cannot be left out."""
    return "" if name == "features" else f", or leave the column out by drop={name}"
