"""Lists of images as other repositories publish them: read as the parts of a split, and written.

A list names an image a line, ``PATH LABEL``, or is a table with a header. The part stands in a
column of the table or in the name of the file: ``train.txt``, ``age_val.txt``, ``fold3_test.csv``.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, TypeAlias

from ordbench.dataset import PARTS, Part, Samples
from ordbench.errors import DatasetError
from ordbench.splits.split import Split
from ordbench.utils.files import read_regular, write_atomic
from ordbench.utils.text import printable

ENDINGS = (".txt", ".csv", ".tsv")

# What columns are called, the first name first.
_PATHS = ("file", "path", "filename", "file_name", "img_path", "image_path", "image_name", "image")
_LABELS = ("rank", "label", "age", "target", "class", "grade", "level")
_WRITTEN: tuple[Part, ...] = ("train", "val", "test")
_PART_COLUMNS = ("part", "split", "subset", "set", "database")  # the last one as in CLAP2015
_LINE = re.compile(r"(.*[^,;\s])(?:\s+|\s*[,;]\s*)([^,;\s]+)\s*")


class Line(NamedTuple):
    """What a list says of an image.

    Attributes:
        path: As it is written.
        label: As it is written; empty where a list has no labels.
        where: File and line.
    """

    path: str
    label: str
    where: str


Draw: TypeAlias = Mapping[Part, Sequence[Line]]
"""The lines of each part that is listed."""


@dataclass(frozen=True)
class SplitLists:
    """One division of a dataset or several, as its lists say.

    Attributes:
        path: What was read.
        draws: Fold N is ``draws[N]``; each has train and test.
        notes: What a user should know of this reading, one line each.
    """

    path: Path
    draws: tuple[Draw, ...]
    notes: tuple[str, ...] = ()

    @cached_property
    def hash(self) -> str:
        """SHA-256 of paths and labels by draw and part, whatever their order."""
        content = [
            {part: sorted(line[:2] for line in lines) for part, lines in sorted(draw.items())}
            for draw in self.draws
        ]
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def is_list(path: Path) -> bool:
    """Whether a path is a folder, or is called like a list."""
    return path.is_dir() or path.suffix.lower() in ENDINGS


def read_lists(path: Path) -> SplitLists:
    """Read a table with a column of parts, a list and its partners, or a folder of lists.

    A file that says its part by its name brings the files along that are called alike but for the
    part. In a folder, divisions that are called alike but for numbers are folds. So are lists that
    say no part: each is tested once, and the others train.

    Raises:
        DatasetError: If a list cannot be read, or if the lists do not say what trains and tests.
    """
    if path.is_dir():
        return _folder(path)
    table = _read(path)
    if table.parts:
        return SplitLists(path, (table.by_part(path),))
    setting, part = _meaning(path)
    if part is None:
        raise DatasetError(
            f"split {path} does not say which images train and which are tested; wanted a column "
            "part, or train, val or test in the name of each list"
        )
    files = _by_setting(_lists_in(path.parent, path.suffix))[setting]
    return SplitLists(path, (_draw(path, files),))


def _folder(folder: Path) -> SplitLists:
    files = [file for ending in ENDINGS for file in _lists_in(folder, ending)]
    settings = _by_setting(files)
    whole = {name: parts for name, parts in settings.items() if {"train", "test"} <= parts.keys()}
    if whole:
        if not _alike(whole):
            first = next(iter(whole.values()))["test"]
            raise DatasetError(
                f"split {folder} holds several divisions: {printable(', '.join(whole))}; name one "
                f"by a file of it, as {first}"
            )
        read = {file for parts in whole.values() for file in parts.values()}
        unread = [file.name for file in files if file not in read]
        notes = [f"lists not read: {', '.join(unread)}"] if unread else []
        draws = tuple(_draw(folder, whole[name]) for name in sorted(whole, key=_natural))
        return SplitLists(folder, draws, tuple(notes))
    undivided = [file for file in files if _meaning(file)[1] is None]
    tables = {file: _read(file) for file in undivided}
    if len(tables) == 1 and (table := tables[undivided[0]]).parts:
        return SplitLists(folder, (table.by_part(undivided[0]),))
    if len(tables) > 1 and _alike(file.stem for file in undivided):
        return _leave_one_out(folder, {file: table.lines for file, table in tables.items()})
    below = sorted({file.parent.name for file in folder.glob("*/*") if is_list(file)})
    hint = f"; name one of its folders: {', '.join(below[:8])}" if below else ""
    raise DatasetError(
        f"split {folder}: wanted train.txt, test.txt and perhaps val.txt ({', '.join(ENDINGS)}), "
        f"got {printable(', '.join(file.name for file in files[:8])) or 'no list'}{hint}"
    )


def _leave_one_out(folder: Path, lists: Mapping[Path, Sequence[Line]]) -> SplitLists:
    files = sorted(lists, key=lambda file: _natural(file.stem))
    labels = [{line.label for line in lists[file]} for file in files]
    if all(len(one) == 1 for one in labels) and len(set.union(*labels)) > 1:
        raise DatasetError(
            f"split {folder}: each of its {len(files)} lists has images of one label, so that they "
            "are no folds; wanted train.txt and test.txt, or a column part"
        )
    draws: list[Draw] = [
        {
            "train": [line for other in files if other != file for line in lists[other]],
            "test": lists[file],
        }
        for file in files
    ]
    note = f"{len(files)} lists as folds: fold N is tested on list N, fold 0 on {files[0].name}"
    return SplitLists(folder, tuple(draws), (note,))


def _lists_in(folder: Path, ending: str) -> list[Path]:
    try:
        files = [file for file in folder.iterdir() if file.suffix.lower() == ending.lower()]
    except OSError as error:
        raise DatasetError(f"split {folder} cannot be read: {error.strerror}") from None
    return sorted(files, key=lambda file: _natural(file.stem))


def _by_setting(files: Iterable[Path]) -> dict[str, dict[Part, Path]]:
    """The files that say their part, by what else their names say."""
    settings: dict[str, dict[Part, Path]] = {}
    for file in files:
        setting, part = _meaning(file)
        if part and settings.setdefault(setting, {}).setdefault(part, file) != file:
            raise DatasetError(
                f"split: {settings[setting][part]} and {file.name} both say {part}; move one away"
            )
    return settings


def _meaning(file: Path) -> tuple[str, Part | None]:
    """Setting and part as the name says them; no part where it says two.

    >>> _meaning(Path("Setting_A_fold3_test.txt")), _meaning(Path("train_val.txt"))
    (('setting a fold 3', 'test'), ('', None))
    """
    words: list[str] = re.findall(r"[^\W\d_]+|\d+", file.stem.lower())
    parts: set[Part] = {PARTS[word] for word in words if word in PARTS}
    setting = " ".join(word for word in words if word not in PARTS)
    return setting, parts.pop() if len(parts) == 1 else None


def _alike(names: Iterable[str]) -> bool:
    """Whether names differ in nothing but their numbers."""
    return len({re.sub(r"\d+", "0", name) for name in names}) == 1


def _natural(name: str) -> list[tuple[str, int]]:
    """Fold 2 before fold 10.

    >>> _natural("fold 2") < _natural("fold 10")
    True
    """
    return [(word, int(n or 0)) for word, n in re.findall(r"(\D*)(\d*)", name)]


def _draw(path: Path, files: Mapping[Part, Path]) -> Draw:
    if missing := {"train", "test"} - files.keys():
        raise DatasetError(
            f"split {path}: no list beside it says {' or '.join(sorted(missing))} in its name; "
            "put it there"
        )
    return {part: _read(file).lines for part, file in files.items()}


class _Table(NamedTuple):
    """The lines of a list, and the part of each where it has a column of parts."""

    lines: list[Line]
    parts: list[Part]

    def by_part(self, path: Path) -> Draw:
        """The lines of each part."""
        draw: dict[Part, list[Line]] = {}
        for line, part in zip(*self, strict=True):
            draw.setdefault(part, []).append(line)
        if missing := {"train", "test"} - draw.keys():
            raise DatasetError(f"split {path}: no image is in {' or '.join(sorted(missing))}")
        return draw


def _read(file: Path) -> _Table:
    try:
        text = read_regular(file).decode("utf-8-sig")
        first = text.lstrip().partition("\n")[0]
        delimiter = next((mark for mark in "\t,;" if mark in first), " ")
        rows = csv.reader(
            io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True
        )
        header = [name.strip().lower() for name in next(rows, [])]
        path = _column(header, _PATHS)
        if path and not any(name.isdecimal() for name in header):
            cells = [(row, f"{file} line {rows.line_num}") for row in rows if any(row)]
            return _table(file, header, path, cells)
    except UnicodeDecodeError:
        raise DatasetError(f"split {file} is not text in UTF-8; save it so") from None
    except (OSError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise DatasetError(f"split {file} cannot be read: {why}") from None
    numbered = enumerate(text.splitlines(), 1)
    lines = [parse_line(line, f"{file} line {n}") for n, line in numbered if line.strip()]
    if not lines:
        raise DatasetError(f"split {file} is empty; wanted one image a line")
    return _Table(lines, [])


def _column(header: Collection[str], names: Iterable[str]) -> str | None:
    return next((name for name in names if name in header), None)


def _table(
    file: Path, header: Sequence[str], path: str, rows: Sequence[tuple[list[str], str]]
) -> _Table:
    label, part = _column(header, _LABELS), _column(header, _PART_COLUMNS)
    if twice := [name for name in (path, label, part) if name and header.count(name) > 1]:
        raise DatasetError(f"split {file} has the column {twice[0]!r} twice; keep one of them")
    lines: list[Line] = []
    parts: list[str] = []
    for row, where in rows:
        if len(row) != len(header):
            raise DatasetError(f"{where}: wanted {len(header)} cells, got {len(row)}")
        cells = dict(zip(header, row, strict=True))
        lines.append(Line(cells[path], cells[label].strip() if label else "", where))
        parts.append(cells[part].strip().lower() if part else "")
    if not lines:
        raise DatasetError(f"split {file} has no line below its header; wanted one image a line")
    known: list[Part] = [PARTS[one] for one in parts if one in PARTS]
    if known and len(known) < len(parts):
        place = next(place for place, one in enumerate(parts) if one not in PARTS)
        raise DatasetError(
            f"{lines[place].where}, column {part}: wanted train, val or test, got {parts[place]!r}"
        )
    return _Table(lines, known)


def parse_line(text: str, where: str) -> Line:
    r"""A line without a header: a path and, behind the last tab, comma or blank, a label.

    >>> parse_line("faces/a b.jpg 36", "x.txt line 1")
    Line(path='faces/a b.jpg', label='36', where='x.txt line 1')
    """
    path, tab, label = text.rpartition("\t")
    if tab and path.strip() and label.strip():
        return Line(path, label.strip(), where)
    match = _LINE.fullmatch(text)
    return Line(match[1], match[2], where) if match else Line(text.strip(), "", where)


def write_table(split: Split, listing: Samples, path: Path) -> None:
    """Write a CSV file with the columns file, part, rank (0 .. K-1), rank_name and rank_value.

    Raises:
        StoreError: If it cannot be written.
    """
    ranks = {sample.name: sample.rank for sample in listing.samples}
    text = io.StringIO(newline="")
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("file", "part", "rank", "rank_name", "rank_value"))
    for part in _WRITTEN:
        for name in getattr(split, part):
            rank = ranks[name]
            value = f"{listing.task.rank_values[rank]:.17g}"
            table.writerow((name, part, rank, listing.task.rank_names[rank], value))
    write_atomic(path, text.getvalue().encode())


def write_folder(split: Split, listing: Samples, folder: Path) -> None:
    """Write ``train.txt``, ``val.txt`` and ``test.txt``: a path and a rank (0 .. K-1) a line.

    Raises:
        DatasetError: If a name would be read as another one.
        StoreError: If they cannot be written.
    """
    ranks = {sample.name: sample.rank for sample in listing.samples}
    texts: dict[Part, str] = {}
    for part in _WRITTEN:
        lines = {name: f"{name} {ranks[name]}" for name in getattr(split, part)}
        for name, line in lines.items():
            if line.splitlines() != [line] or parse_line(line, "").path != name:
                raise DatasetError(
                    f"{name!r} cannot stand in a list with one image a line; write a .csv or .json "
                    "file"
                )
        texts[part] = "".join(f"{line}\n" for line in lines.values())
    for part, text in texts.items():
        write_atomic(folder / f"{part}.txt", text.encode())
