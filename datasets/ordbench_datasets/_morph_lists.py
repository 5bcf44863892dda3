"""The published list files of MORPH II, in their four formats, and whether people repeat in them.

Formats: separated by blanks or by commas (then with an index column), both with a header that names
``filename`` and ``age``; CORAL's and CORN's, whose first column has no name and whose ``age`` is
the rank, 0 for 16 years; or ``PATH AGE`` without a header, where POE and OrdinalCLIP may have
several ages. The letters of the settings C and D are swapped between releases, so that what a list
is, is told by whom it shows, never by its name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from ordbench.dataset import PARTS, Part
from ordbench.errors import DatasetError
from ordbench.utils.text import printable

# Shares of people on both sides: published 1 % (meant to be exclusive) and 47 % to 91 % (random).
_RANDOM = 0.1
# Age of rank 0 in the lists of CORAL and CORN.
_YOUNGEST = 16
# A path and one or more ages, as numbers.
_BARE = re.compile(r"(.+\.jpe?g)[,\s]+(\d+(?:[,\s]+\d+)*)", re.IGNORECASE)


class Row(NamedTuple):
    """One line: an image's official name, its age in years, and where that stands."""

    name: str
    age: int
    where: str


class Lists(NamedTuple):
    """The list files of one setting.

    Attributes:
        rows: Every image once, by name.
        folds: Names of each fold, where the files are disjoint sets; in the order of the files.
        draws: Names of each draw by part, where the files' names say train and test.
        notes: What was made of the files' names, one line each.
    """

    rows: tuple[Row, ...]
    folds: tuple[frozenset[str], ...]
    draws: tuple[dict[Part, frozenset[str]], ...]
    notes: tuple[str, ...] = ()


def read_lists(path: Path) -> Lists:
    """Read a list file, or the folder of list files of one setting.

    A file that says ``train`` or ``test`` in its name brings its partners along; any other single
    file only says which images are used. Where one says ``val`` and none ``test``, it is tested.

    Raises:
        DatasetError: If there is no list, a list cannot be read, or its partner is missing.
    """
    files = _files(path)
    rows = {file: read_rows(file) for file in files}
    names = {file: frozenset(row.name for row in rows[file]) for file in files}
    parts = {file: _meaning(file) for file in files}
    by_name = {row.name: row for file in files for row in rows[file]}
    every = tuple(by_name[name] for name in sorted(by_name))
    if not any(part for _, part in parts.values()):
        return Lists(every, tuple(names.values()) if len(files) > 1 else (), ())
    draws: dict[str, dict[Part, frozenset[str]]] = {}
    for file, (setting, part) in parts.items():
        if part is None:
            raise DatasetError(
                f"the name of {file} says neither train nor test, as those of the other lists in "
                "its folder do; rename it, or move it away"
            )
        draws.setdefault(setting, {})[part] = names[file]
    notes: list[str] = []
    for setting, draw in draws.items():
        if "test" not in draw and "val" in draw:
            draw["test"] = draw.pop("val")
            notes.append(f"the validation images of {setting} are tested, as there is no test list")
        if missing := {"train", "test"} - set(draw):
            raise DatasetError(
                f"{path}: no list of {setting!r} says {' or '.join(sorted(missing))} in its name; "
                "put it beside the other one"
            )
    return Lists(every, (), tuple(draws.values()), tuple(notes))


def _files(path: Path) -> list[Path]:
    if path.is_file():
        setting, part = _meaning(path)
        if part is None:
            return [path]
        beside = [file for file in _listed(path.parent) if file.suffix == path.suffix]
        return [file for file in beside if _meaning(file)[0] == setting and _meaning(file)[1]]
    if not path.is_dir():
        raise DatasetError(f"{path} is neither a list of images nor a folder of such lists")
    if files := _listed(path):
        return files
    below = sorted({file.parent.name for file in path.rglob("*.txt")})
    hint = f"name one of its folders: {', '.join(below)}" if below else "wanted .txt or .csv files"
    raise DatasetError(f"{path} holds no list of images; {hint}")


def _listed(folder: Path) -> list[Path]:
    files = [file for file in folder.iterdir() if file.suffix.lower() in {".txt", ".csv"}]
    return sorted(files, key=_natural)


def _natural(file: Path) -> list[tuple[str, int]]:
    """Fold 2 before fold 10.

    >>> _natural(Path("fold2.txt")) < _natural(Path("fold10.txt"))
    True
    """
    return [(word, int(n or 0)) for word, n in re.findall(r"(\D*)(\d*)", file.stem)]


def _meaning(file: Path) -> tuple[str, Part | None]:
    """Setting and part as the name says them.

    >>> _meaning(Path("Setting_A_fold3_test.txt"))
    ('setting_a_fold3', 'test')
    """
    words = re.split(r"[_\-. ]+", file.stem.lower())
    part: Part | None = next((PARTS[word] for word in words if word in PARTS), None)
    return "_".join(word for word in words if word not in PARTS), part


def read_rows(file: Path) -> list[Row]:
    """Read one list in whichever format it is.

    Raises:
        DatasetError: Naming the file and the line that cannot be read.
    """
    numbered = _lines(file)
    comma = "," if "," in numbered[0][1] else None
    columns = _columns(file, [word.strip().lower() for word in numbered[0][1].split(comma)])
    rows: list[Row] = []
    for number, line in numbered[1 if columns else 0 :]:
        try:
            path, age = columns.read(line.split(comma)) if columns else _bare(line)
        except (ValueError, IndexError):
            raise DatasetError(
                f"{file} line {number}: wanted a file name and an age in years, got {line!r}"
            ) from None
        rows.append(Row(re.split(r"[\\/]", path)[-1].upper(), age, f"{file} line {number}"))
    return rows


def _lines(file: Path) -> list[tuple[int, str]]:
    """The lines that are not empty, by their numbers."""
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise DatasetError(f"{file} is not text in UTF-8; save it so") from None
    except OSError as error:
        raise DatasetError(f"{file} cannot be read: {error.strerror}") from None
    numbered = [(n, line.strip()) for n, line in enumerate(lines, 1) if line.strip()]
    if not numbered:
        raise DatasetError(f"{file} is empty; wanted one image a line")
    return numbered


class _Columns(NamedTuple):
    """Where a line has name and age, and the age that is written as 0."""

    name: int
    age: int
    youngest: int

    def read(self, cells: Sequence[str]) -> tuple[str, int]:
        """Name and age of a line; raises ValueError or IndexError where they are not there."""
        return cells[self.name], int(cells[self.age]) + self.youngest


def _columns(file: Path, header: Sequence[str]) -> _Columns | None:
    """The columns that a first line names; None where it is no header."""
    named = [word for word in ("filename", "file") if word in header]
    if named and "age" not in header:
        raise DatasetError(
            f"{file} has the columns {printable(', '.join(header))}; wanted filename and age"
        )
    if "age" not in header:
        return None
    if named:
        return _Columns(header.index(named[0]), header.index("age"), 0)
    return None if header[0] else _Columns(0, header.index("age"), _YOUNGEST)


def _bare(line: str) -> tuple[str, int]:
    """Path and age of a line; of several ages the middle one, as in OrdinalCLIP's evaluation.

    >>> _bare("my faces/009055_1M54.JPG 53 54 56")
    ('my faces/009055_1M54.JPG', 54)
    """
    match = _BARE.fullmatch(line)
    if match is None:
        raise ValueError(line)
    ages = re.findall(r"\d+", match[2])
    return match[1], int(ages[len(ages) // 2])


def shared_people(sets: Sequence[Iterable[str]]) -> tuple[int, int]:
    """How many people stand in more than one set, and how many there are.

    Args:
        sets: Names of images, the person's six digits first.

    >>> shared_people([["000001_0M20.JPG"], ["000001_1M21.JPG", "000002_0M30.JPG"]])
    (1, 2)
    """
    counts = Counter(person for names in sets for person in {name[:6] for name in names})
    return sum(count > 1 for count in counts.values()), len(counts)


def describe(lists: Lists) -> str:
    """Say whether the lists keep people apart, by whom they show.

    Settings of disjoint sets are judged over all sets, draws over the people of their test sets.
    """
    if lists.folds:
        shared, people = shared_people(lists.folds)
        what = f"{len(lists.folds)} sets"
        repeat = f"{shared} of {people} people stand in more than one"
    else:
        pairs = [({n[:6] for n in d["test"]}, {n[:6] for n in d["train"]}) for d in lists.draws]
        shared, people = max((len(test & train), len(test)) for test, train in pairs)
        what = f"{len(lists.draws)} train/test draw{'s' * (len(lists.draws) > 1)}"
        repeat = f"up to {shared} of {people} people in a test set are also in its training set"
    if not shared:
        return f"{what}, subject-exclusive (SE): nobody stands in more than one"
    kind = "random (RS)" if shared > _RANDOM * people else "subject-exclusive (SE) but for a few"
    return f"{what}, {kind}: {repeat}"
