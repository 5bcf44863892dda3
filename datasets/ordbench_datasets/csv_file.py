"""A user's own images: a CSV file with one line an image.

Source: columns ``file`` and ``rank`` (or ``label``), and where there are such: ``group`` (who is
shown), ``fold`` (0, 1, ...) and ``part`` (train, val, test); or the columns that the options name.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import ClassVar, NamedTuple, TypeVar

from ordbench.data.archives import ZipMember, zip_member
from ordbench.data.image_files import composed, existing, header_problem
from ordbench.dataset import DatasetCard, Part, Sample, Samples, SkippedFile
from ordbench.errors import DatasetError, SpecError
from ordbench.utils.text import printable
from ordbench_datasets.families.cells import (
    USUAL,
    not_utf8,
    parts_win,
    plain_column,
    read_fold,
    read_group,
    read_part,
    separator,
)
from ordbench_datasets.families.own_images import OwnImages

T = TypeVar("T")

_USUAL = {"file": ("file",), **USUAL}


class Row(NamedTuple):
    """One line of the file, checked, its rank not yet put in order."""

    line: int
    name: str
    image: Path
    label: str
    group: str | None
    fold: int | None
    part: Part | None


class CsvFile(OwnImages):
    """Images named in a CSV file, by paths relative to it, which may lead into zip archives.

    The file is UTF-8, separated by comma, semicolon or tab. It lists each image once, however its
    path is spelled.

    Args:
        root: Not used; the path is the user's own.
        argument: The file.
        ranks: As in `OwnImages`.
        bins: As in `OwnImages`.
        context: As in `OwnImages`.
        unit: As in `OwnImages`.
        file: Name of the column of the images' paths; empty for the usual names, as for the others.
        rank: Name of the column of the labels.
        group: Name of the column that says who is shown; ``-`` to read none, as for the next two.
        fold: Name of the column of the official folds.
        part: Name of the column of the official parts.
        prefix: What is put before each path, such as a folder or a zip archive: ``photos.zip/``.
        suffix: What is added to each path that does not end with it, such as ``.png``.
    """

    card: ClassVar[DatasetCard] = DatasetCard(
        title="a CSV file of images",
        source="your own images",
        licence="yours",
        how_to_get="write a CSV file with the columns file and rank",
        layout="columns file and rank (or label); where there are such: group, fold, part",
        ranks="the labels, by number, by bins= or in the order of ranks=",
        argument="PATH",
        reads=(".csv", ".tsv", ".txt"),
    )

    def __init__(
        self,
        root: Path,
        argument: str = "",
        *,
        ranks: str = "",
        bins: str = "",
        context: str = "",
        unit: str = "",
        file: str = "",
        rank: str = "",
        group: str = "",
        fold: str = "",
        part: str = "",
        prefix: str = "",
        suffix: str = "",
    ) -> None:
        super().__init__(root, argument, ranks=ranks, bins=bins, context=context, unit=unit)
        self.columns = {"file": file, "rank": rank, "group": group, "fold": fold, "part": part}
        self.prefix = prefix
        self.suffix = suffix

    def read(self) -> Samples:
        """List the images in the order of their names.

        Raises:
            DatasetError: If the file or all its images are missing, or if a line is unusable.
            SpecError: If an option names a column that is not there.
        """
        header, rows = self._rows()
        rows.sort(key=lambda row: row.name)
        ranks = self.order((row.label for row in rows), "csv")
        samples: list[Sample] = []
        rejected: list[SkippedFile] = []
        near = cache(_near)
        for row in rows:
            image = zip_member(row.image) or row.image
            problem = image.problem() if isinstance(image, ZipMember) else header_problem(image)
            if problem:
                near_name = near(row.image.parent).get(row.image.name.casefold(), row.image.name)
                hint = f"; there is {near_name}" if near_name != row.image.name else ""
                rejected.append(SkippedFile(row.name, f"{problem}{hint} (line {row.line})"))
            else:
                rank = ranks.rank(row.label)
                samples.append(Sample(row.name, image, rank, row.group, row.fold, row.part))
        if not samples:
            raise DatasetError(
                f"{self.path}: none of its {len(rows)} images can be used, first "
                f"{rejected[0].name!r} ({rejected[0].reason}); paths are relative to that file"
            )
        return Samples(
            task=ranks.task(self.unit, self.context),
            samples=tuple(samples),
            rejected=tuple(rejected),
            notes=(*self.notes(ranks, "csv"), *self._columns_note(header)),
        )

    def _rows(self) -> tuple[list[str], list[Row]]:
        """The header, and every line, checked.

        Raises:
            DatasetError: Naming the file, the line and the column.
        """
        if self.path.exists() and not self.path.is_file():  # opening a pipe would wait for a writer
            raise DatasetError(f"{self.path} cannot be read: not a regular file; wanted a CSV file")
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as lines:
                first = lines.readline()
                lines.seek(0)
                reader = csv.DictReader(lines, delimiter=separator(self.path, first), strict=True)
                header = [plain_column(name) for name in reader.fieldnames or ()]
                columns = self._used_columns(header)
                reader.fieldnames = header
                rows = [
                    self._row(reader.line_num, cells, columns)
                    for cells in reader
                    if None in cells or any(map(str.strip, filter(None, cells.values())))
                ]
        except UnicodeDecodeError:
            raise not_utf8(self.path) from None
        except (OSError, csv.Error) as error:
            why = error.strerror if isinstance(error, OSError) else error
            raise DatasetError(
                f"{self.path} cannot be read: {why}; wanted a CSV file in UTF-8"
            ) from None
        if not rows:
            raise DatasetError(
                f"{self.path} has no line below its header; wanted one line an image"
            )
        self._refuse_repeated(rows)
        return header, rows

    def _refuse_repeated(self, rows: list[Row]) -> None:
        seen: dict[str, int] = {}
        for row in rows:
            first = seen.setdefault(os.path.realpath(row.image), row.line)
            if first != row.line:
                raise DatasetError(
                    f"{self.path} line {row.line}, column file: {row.name!r} is in line "
                    f"{first} too; keep one of them"
                )

    def _used_columns(self, header: list[str]) -> dict[str, str]:
        """The column of the file behind each of ours that is there."""
        if twice := [name for name in header if name and header.count(name) > 1]:
            raise DatasetError(f"{self.path} has the column {twice[0]!r} twice; keep one of them")
        used: dict[str, str] = {}
        for column, usual in _USUAL.items():
            named = plain_column(self.columns[column])
            if named and named != "-" and named not in header:
                raise SpecError(
                    f"{self.path} has no column {named!r} ({column}={self.columns[column]}); "
                    f"it has {printable(', '.join(header))}"
                )
            found = next((n for n in ((named,) if named else usual) if n in header), None)
            if found:
                used[column] = found
        if "file" in used and "rank" in used:
            return used
        if not header:
            raise DatasetError(f"{self.path} is empty; wanted {self.card.layout}")
        between = ", separated by comma, semicolon or tab" if len(header) == 1 else ""
        raise DatasetError(
            f"{self.path} has the columns {printable(', '.join(header))}; wanted "
            f"{self.card.layout}{between}; or name yours: "
            f"csv:{self.argument}:file=COLUMN:rank=COLUMN"
        )

    def _columns_note(self, header: list[str]) -> list[str]:
        """Which columns are read under another name, and which are not read."""
        used = self._used_columns(header)
        renamed = [f"{ours} from column {name}" for ours, name in used.items() if ours != name]
        unread = [name for name in header if name and name not in used.values()]
        more = f" and {len(unread) - 8} more" if len(unread) > 8 else ""
        read = [f"read {', '.join(renamed)}"] if set(used) - {"file", "rank"} and renamed else []
        left = [f"columns not read: {', '.join(unread[:8])}{more}"] if unread else []
        return [*read, *left, *parts_win(used)]

    def _row(
        self, line: int, cells: Mapping[str | None, str | None], columns: Mapping[str, str]
    ) -> Row:
        if None in cells:
            raise DatasetError(
                f"{self.path} line {line}: more cells than columns; put quotes around commas"
            )

        def cell(column: str, wanted: str, read: Callable[[str], T], mend: str = "correct it") -> T:
            """Read one cell, or name it."""
            text = (cells.get(columns[column]) or "").strip()
            try:
                return read(text)
            except ValueError:
                needed = not text and column in {"file", "rank"}
                raise DatasetError(
                    f"{self.path} line {line}, column {columns[column]}: wanted {wanted}, "
                    f"got {text!r}; {'fill it in, or remove the line' if needed else mend}"
                ) from None

        def optional(
            column: str, wanted: str, read: Callable[[str], T], mend: str = ""
        ) -> T | None:
            """A cell of a column that need not be there."""
            mend = mend or f"correct it, or write {column}=- to ignore the column"
            return cell(column, wanted, read, mend) if column in columns else None

        path = cell("file", "the path of an image", self._path)
        return Row(
            line,
            _name(path, self.path.parent),
            existing(self.path.parent / path),
            cell("rank", "a rank", self.label, "correct it or add it to ranks="),
            optional("group", "a group, such as a person", read_group, "leave unknown ones empty"),
            optional("fold", "a whole number of at least 0", read_fold),
            optional("part", "train, val or test", read_part),
        )

    def _path(self, text: str) -> str:
        """The path of an image, as its cell and the options say."""
        if not text or "\0" in text:
            raise ValueError
        path = Path((self.prefix + text).replace("\\", "/")).as_posix()
        return path if path.endswith(self.suffix) else path + self.suffix


def _near(folder: Path) -> dict[str, str]:
    """What a name without upper case, or without an ending, may mean in a folder."""
    try:
        names = sorted(path.name for path in folder.iterdir())
    except OSError:
        return {}
    whole = {name.casefold(): name for name in names}
    return {Path(name).stem.casefold(): name for name in names} | whole


def _name(path: str, folder: Path) -> str:
    """A path relative to the CSV file, whether it was written so or as an absolute one."""
    if os.path.isabs(path):
        here, there = os.path.abspath(folder), path
        if not Path(there).is_relative_to(here):  # one of them may be written through a link
            parent, leaf = os.path.split(there)
            here, there = os.path.realpath(folder), os.path.join(os.path.realpath(parent), leaf)
        path = os.path.relpath(there, here)
    return composed(Path(os.path.normpath(path)).as_posix())
