"""What datasets with official lists share: the rows of a list, and the images that they name."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from math import isfinite
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ordbench.data.folders import image_folder
from ordbench.data.image_files import FoundImage, has_image_name
from ordbench.dataset import PARTS, Dataset, Part, Sample, SkippedFile
from ordbench.errors import DatasetError
from ordbench.utils.text import printable
from ordbench_datasets.families.cells import not_utf8
from ordbench_datasets.families.faces import not_found


class Row(NamedTuple):
    """One row of a list: its cells by column, and where it stands."""

    cells: dict[str, str]
    where: str

    def number(self, column: str) -> float:
        """The number in a cell.

        Raises:
            DatasetError: If it is no finite number.
        """
        try:
            number = float(self.cells[column])
        except ValueError:
            number = float("nan")
        if not isfinite(number):
            raise DatasetError(
                f"{self.where}, column {column}: wanted a number, got {self.cells[column]!r}; "
                "take the list as it was published"
            )
        return number


def read_rows(path: Path, columns: Sequence[str], delimiter: str = ",") -> list[Row]:
    """Rows of a list whose header names the columns; other columns are not read.

    Raises:
        DatasetError: If it cannot be read, or if a column or a cell is missing.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, delimiter=delimiter, strict=True)
            header = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = header
            if missing := [name for name in columns if name not in header]:
                raise DatasetError(
                    f"{path} has no column {missing[0]!r}; it has "
                    f"{printable(', '.join(header)) or 'no line'}; take the list as it was "
                    "published"
                )
            if twice := [name for name in columns if header.count(name) > 1]:
                raise DatasetError(
                    f"{path} has the column {twice[0]!r} twice; take the list as it was published"
                )
            return [_row(cells, columns, f"{path} line {reader.line_num}") for cells in reader]
    except UnicodeDecodeError:
        raise not_utf8(path) from None
    except (OSError, csv.Error) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise DatasetError(f"{path} cannot be read: {why}") from None


def read_words(path: Path, columns: Sequence[str], separator: str | None = None) -> Iterator[Row]:
    """Rows of a list without a header: words between blanks or separators, one for each column.

    Raises:
        DatasetError: If it cannot be read, or if a row has more or fewer words.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError:
        raise not_utf8(path) from None
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {error.strerror}") from None
    for number, line in enumerate(lines, 1):
        where, words = f"{path} line {number}", line.split(separator)
        if line.strip() and len(words) != len(columns):
            raise DatasetError(
                f"{where}: wanted {len(columns)} words ({', '.join(columns)}), got {len(words)}; "
                "take the list as it was published"
            )
        if line.strip():
            yield Row({c: word.strip() for c, word in zip(columns, words, strict=True)}, where)


def _row(cells: dict[str, str | None], columns: Sequence[str], where: str) -> Row:
    found = {name: cell.strip() for name in columns if (cell := cells[name]) is not None}
    if len(found) < len(columns):
        raise DatasetError(
            f"{where}: wanted the columns {', '.join(columns)}, got {len(found)} of them; take the "
            "list as it was published"
        )
    return Row(found, where)


def stated_part(row: Row, column: str) -> Part:
    """The official part in a cell.

    Raises:
        DatasetError: If it names none.
    """
    if part := PARTS.get(row.cells[column]):
        return part
    raise DatasetError(
        f"{row.where}, column {column}: wanted the part of training, validation or test, got "
        f"{row.cells[column]!r}; take the list as it was published"
    )


def files_below(root: Path) -> list[FoundImage]:
    """Every file below a root, lists and images, sorted by path; none where it is no folder."""
    found = image_folder(root)
    return found.files() if found else []


def find_list(dataset: Dataset, files: Iterable[FoundImage], *names: str) -> Path:
    """The list of one of these names; where there are several, the first by path.

    Raises:
        DatasetError: If none is there.
    """
    for file in files:
        path = file.image
        if file.name.rpartition("/")[2] in names and isinstance(path, Path) and path.is_file():
            return path
    raise not_found(dataset, [SkippedFile(names[0], "the list is not there")])


def tail(depth: int) -> Callable[[str], str]:
    """The last names of a path, by which an official list knows an image.

    >>> tail(2)("faces/aligned/7@N01/a.jpg")
    '7@N01/a.jpg'
    """
    return lambda path: "/".join(path.split("/")[-depth:])


def stem(path: str) -> str:
    """The name of a file without folders and without its ending.

    >>> stem("images/8039179792.png")
    '8039179792'
    """
    return PurePosixPath(path).stem


def with_images(
    dataset: Dataset,
    files: Iterable[FoundImage],
    labelled: Iterable[Sample | SkippedFile],
    official: Callable[[str], str],
) -> tuple[tuple[Sample, ...], tuple[SkippedFile, ...]]:
    """Give each labelled sample its image, and list what has no label or no image.

    Args:
        dataset: For the error.
        files: What lies below the root.
        labelled: What the lists say: a sample without an image, by its official name, or why an
            image is left out.
        official: From a path below the root to the official name.

    Returns:
        The samples by name, and what was left out.

    Raises:
        DatasetError: If no sample has an image, or if one is listed with two ranks.
    """
    there: dict[str, FoundImage] = {}
    rejected: list[SkippedFile] = []
    for file in files:
        name = official(file.name)
        if not has_image_name(file.name):
            continue
        if there.setdefault(name, file) is not file:
            rejected.append(SkippedFile(file.name, f"the same picture as {there[name].name}"))
    samples: dict[str, Sample] = {}
    known: set[str] = set()
    for label in labelled:
        known.add(label.name)
        found = there.get(label.name)
        if isinstance(label, SkippedFile):
            rejected.append(label)
        elif label.name in samples:
            if label.rank != samples[label.name].rank:
                raise DatasetError(
                    f"{dataset.root}: {label.name} is listed with two ranks; take the list as it "
                    "was published"
                )
            rejected.append(SkippedFile(label.name, "listed more than once"))
        elif found is None:
            rejected.append(SkippedFile(label.name, "listed, but not below the root"))
        elif found.problem:
            rejected.append(SkippedFile(found.name, found.problem))
        else:
            samples[label.name] = label._replace(image=found.image)
    rejected += [SkippedFile(there[name].name, "in no list") for name in there if name not in known]
    if not samples:
        raise not_found(dataset, rejected)
    return tuple(samples[name] for name in sorted(samples)), tuple(rejected)
