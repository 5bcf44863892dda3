"""Which columns of Arrow tables hold images and labels, and what their rows say of each image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ordbench.data.tables import TableImage, holds_images, read_columns
from ordbench.dataset import Part, SkippedFile
from ordbench.errors import DatasetError, SpecError
from ordbench.utils.text import printable
from ordbench_datasets.families.cells import (
    USUAL,
    plain_column,
    read_fold,
    read_group,
    read_part,
)
from ordbench_datasets.families.ranks import plain

T = TypeVar("T")
SHOWN = 8  # columns that an error names


class Row(NamedTuple):
    """One row with a label, its rank not yet put in order."""

    name: str
    split: str
    image: TableImage
    label: str
    group: str | None
    fold: int | None
    part: Part | None


def used_columns(
    named: Mapping[str, str],
    schema: Any,  # noqa: ANN401 (pyarrow has no types)
    features: Mapping[str, Any],
    *,
    where: Path,
    write: str,
) -> dict[str, str]:
    """The column behind each of image, rank, group, fold and part that is there.

    The usual names win; else there must be one column of images, and one of class labels, or where
    there are none, of numbers.

    Args:
        named: What the user calls each column; empty where he does not say, ``-`` to read none.
        schema: The Arrow schema of the tables.
        features: What the datasets library makes of each column, by its name.
        where: What an error names.
        write: How a user gives an option ("hf:PATH").

    Raises:
        DatasetError: If it is not clear which column holds the images or the labels.
        SpecError: If an option names a column that is not there, or no images.
    """
    there = {plain_column(name): name for name in features}
    used: dict[str, str] = {}
    for ours, usual in {"image": (), **USUAL}.items():
        theirs = plain_column(named[ours])
        if theirs and theirs != "-" and theirs not in there:
            raise SpecError(
                f"{where} has no column {theirs!r} ({ours}={named[ours]}); it has {_few(features)}"
            )
        names = (theirs,) if theirs else usual
        if found := next((there[name] for name in names if name in there), None):
            used[ours] = found
    in_bytes = [name for name in features if holds_images(schema.field(name).type)]
    if "image" in used and used["image"] not in in_bytes:
        raise SpecError(
            f"{where}: the column {used['image']} (image=) holds "
            f"{schema.field(used['image']).type} and no bytes; those that do: {_few(in_bytes)}"
        )
    images = [name for name in in_bytes if type(features[name]).__name__ == "Image"] or in_bytes
    left = [name for name in features if name not in used.values()]
    classes = [name for name in left if hasattr(features[name], "names")]
    numbers = [name for name in left if _is_number(features[name])]
    for ours, what, likely in (("image", "images", images), ("rank", "labels", classes or numbers)):
        if ours not in used and len(likely) != 1:
            got = f"several columns of {what}, {_few(likely)}" if likely else f"no column of {what}"
            raise DatasetError(
                f"{where} has {got}; wanted one column of images and one of labels; or name yours: "
                f"{write}:{ours}=COLUMN (it has {_few(features)})"
            )
        used.setdefault(ours, likely[0] if likely else "")
    return used


def labelled_rows(
    split: str,
    files: Sequence[Path],
    used: Mapping[str, str],
    features: Mapping[str, Any],
    label: Callable[[str], str],
) -> Iterator[Row | SkippedFile]:
    """What the rows of a split say of each image; one without a label is skipped.

    Args:
        split: Its name.
        files: Its files, in order.
        used: As `used_columns` gives it.
        features: As for `used_columns`.
        label: Makes a label of a cell that is no class label, or raises ValueError.

    Raises:
        DatasetError: Naming the file, the column and the row of a cell that is unusable.
    """
    columns = {ours: name for ours, name in used.items() if ours != "image"}
    is_class = hasattr(features[used["rank"]], "names")  # one may be called "none"
    count = 0
    for file in files:
        table = read_columns(file, [*dict.fromkeys(columns.values())])
        texts = {
            ours: _texts(table.column(name), features[name], f"{file}, column {name}")
            for ours, name in columns.items()
        }
        nothing = [None] * table.num_rows
        cells = _Cells(file, used, texts)
        groups = cells.read("group", "a group, such as a person", read_group) or nothing
        folds = cells.read("fold", "a whole number of at least 0", read_fold) or nothing
        parts = cells.read("part", "train, val or test", read_part) or nothing
        for row, text in enumerate(texts["rank"]):
            name, image = f"{split}/{count + row}", TableImage(file, used["image"], row)
            if text in ("", "nan"):
                yield SkippedFile(name, f"no label: {used['rank']} is {text!r}")
                continue
            try:
                rank = plain(text) if is_class else label(text)
            except ValueError:
                raise DatasetError(
                    f"{file}, column {used['rank']}, row {row}: wanted a rank, got {text!r}; add "
                    "it to ranks="
                ) from None
            yield Row(name, split, image, rank, groups[row], folds[row], parts[row])
        count += table.num_rows


class _Cells(NamedTuple):
    """The cells of one file by what they are."""

    file: Path
    used: Mapping[str, str]
    texts: Mapping[str, list[str]]

    def read(self, ours: str, wanted: str, read: Callable[[str], T]) -> list[T]:
        """A column that need not be there."""
        found: list[T] = []
        for row, text in enumerate(self.texts.get(ours, [])):
            try:
                found.append(read(text))
            except ValueError:
                raise DatasetError(
                    f"{self.file}, column {self.used[ours]}, row {row}: wanted {wanted}, got "
                    f"{text!r}; write {ours}=- to ignore the column"
                ) from None
        return found


def _is_number(kind: object) -> bool:
    return str(getattr(kind, "dtype", "")).startswith(("int", "uint", "float"))


def _texts(column: Any, kind: object, where: str) -> list[str]:  # noqa: ANN401
    """Cells as text, class labels by their names; what is missing is empty.

    Raises:
        DatasetError: If they are neither words nor numbers.
    """
    import pyarrow as pa

    try:
        texts: list[str | None] = column.cast(pa.string()).to_pylist()
    except pa.ArrowException:
        raise DatasetError(f"{where}: wanted numbers or words, got {column.type}") from None
    names: list[str] | None = getattr(kind, "names", None)
    if names is None:
        return [(text or "").strip() for text in texts]
    known = {str(number): name for number, name in enumerate(names)}
    return [known.get(text or "", "") for text in texts]


def _few(names: Iterable[str]) -> str:
    listed = [printable(name) for name in names]
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return ", ".join(listed[:SHOWN]) + more
