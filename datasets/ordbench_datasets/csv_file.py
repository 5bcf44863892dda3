"""A user's own images: a CSV file with one line an image.

Source: columns ``file`` and ``rank`` (or ``label``), and where there are such: ``group`` (who is
shown), ``fold`` (0, 1, ...) and ``part`` (train, val, test).
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar, NamedTuple, TypeVar, get_args

from ordbench.data.images import header_problem
from ordbench.dataset import DatasetCard, Part, Sample, Samples, SkippedFile
from ordbench.errors import DatasetError
from ordbench_datasets._own import OwnImages
from ordbench_datasets._ranks import Ranks, order, plain

T = TypeVar("T")
_EMPTY = {"", "nan", "none", "null", "na", "n/a", "inf", "-inf"}


class Row(NamedTuple):
    """One line of the file, checked, its rank not yet put in order."""

    line: int
    file: str
    label: str
    group: str | None
    fold: int | None
    part: Part | None


class CsvFile(OwnImages):
    """Images named in a CSV file, relative to it; arguments and options as in `OwnImages`.

    The file is UTF-8, separated by comma, semicolon or tab. It lists each image once, however its
    path is spelled.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="a CSV file of images",
        source="your own images",
        licence="yours",
        how_to_get="write a CSV file with the columns file and rank",
        layout="columns file and rank (or label); where there are such: group, fold, part",
        ranks="the labels, by number or in the order of ranks=",
        argument="PATH",
    )

    def read(self) -> Samples:
        """List the images in the order of their names.

        Raises:
            DatasetError: If the file or all its images are missing, or if a line is unusable.
        """
        rows = sorted(_rows(self.path, self.card.layout), key=lambda row: row.file)
        labels = {row.label for row in rows}
        ranks = order(labels, self.ranks, where=str(self.path), write=f"csv:{self.argument}")
        samples: list[Sample] = []
        rejected: list[SkippedFile] = []
        for row in rows:
            image = self.path.parent / row.file
            if problem := header_problem(image):
                rejected.append(SkippedFile(row.file, f"{problem} (line {row.line})"))
            else:
                samples.append(_sample(row, image, ranks))
        if not samples:
            raise DatasetError(
                f"{self.path}: none of its {len(rows)} images can be used, first "
                f"{rejected[0].name!r} ({rejected[0].reason}); paths are relative to that file"
            )
        return Samples(
            task=ranks.task(self.unit, self.context),
            samples=tuple(samples),
            rejected=tuple(rejected),
            notes=(ranks.note(),),
        )


def _sample(row: Row, image: Path, ranks: Ranks) -> Sample:
    rank = ranks.names.index(row.label)
    return Sample(row.file, image, rank, row.group, row.fold, row.part)


def _rows(file: Path, wanted: str) -> list[Row]:
    """Read and check every line.

    Raises:
        DatasetError: Naming the file, the line and the column.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            first = lines.readline()
            lines.seek(0)
            reader = csv.DictReader(lines, delimiter=max(",;\t", key=first.count), strict=True)
            columns = [name.strip().lower() for name in reader.fieldnames or ()]
            label = next((name for name in ("rank", "label") if name in columns), None)
            if "file" not in columns or not label:
                raise DatasetError(f"{file} has the columns {columns}; wanted {wanted}")
            if twice := [name for name in columns if name and columns.count(name) > 1]:
                raise DatasetError(f"{file} has the column {twice[0]!r} twice; keep one of them")
            reader.fieldnames = columns
            rows = [_row(file, reader.line_num, cells, label) for cells in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{file} cannot be read: {error}; wanted a CSV file, UTF-8") from None
    if not rows:
        raise DatasetError(f"{file} has no line below its header; wanted one line an image")
    seen: dict[str, int] = {}
    for row in rows:
        image = os.path.realpath(file.parent / row.file)
        if seen.setdefault(image, row.line) != row.line:
            raise DatasetError(
                f"{file} line {row.line}, column file: {row.file!r} stands in line "
                f"{seen[image]} too; keep one of them"
            )
    return rows


def _row(file: Path, line: int, cells: dict[str | None, str | None], label: str) -> Row:
    if None in cells:
        raise DatasetError(f"{file} line {line}: more cells than columns; put quotes around commas")

    def cell(column: str, wanted: str, read: Callable[[str], T]) -> T:
        """Read one cell, or name it."""
        text = (cells.get(column) or "").strip()
        try:
            return read(text)
        except ValueError:
            raise DatasetError(
                f"{file} line {line}, column {column}: wanted {wanted}, got {text!r}; mend it"
            ) from None

    return Row(
        line,
        cell("file", "the path of an image", _path),
        cell(label, "a rank", _label),
        (cells.get("group") or "").strip() or None,
        cell("fold", "a whole number from 0 on", _fold) if "fold" in cells else None,
        cell("part", " or ".join(get_args(Part)), _part) if "part" in cells else None,
    )


def _path(text: str) -> str:
    if not text or "\0" in text:
        raise ValueError
    return Path(text.replace("\\", "/")).as_posix()


def _label(text: str) -> str:
    if text.lower() in _EMPTY:
        raise ValueError
    return plain(text)


def _fold(text: str) -> int:
    if not text.isdecimal():
        raise ValueError
    return int(text)


def _part(text: str) -> Part:
    for part in get_args(Part):
        if part == text.lower():
            return part  # type: ignore[no-any-return]
    raise ValueError
