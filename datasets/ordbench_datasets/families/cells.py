"""Columns of a user's own tables: what they are usually called, and what their cells say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from ordbench.data.image_files import composed
from ordbench.dataset import PARTS, Part
from ordbench.errors import DatasetError
from ordbench_datasets.families.own_images import EMPTY

# What each column is usually called, the first name first.
USUAL = {
    "rank": ("rank", "label"),
    "group": ("group", "subject", "subject_id", "patient", "patient_id", "person", "person_id"),
    "fold": ("fold",),
    "part": ("part", "split", "subset"),
}


def plain_column(name: str) -> str:
    """A column's name as names are compared: without case and blanks around it."""
    return composed(name.strip().lower())


def read_group(text: str) -> str | None:
    """Who is shown; 7, 7.0 (as pandas writes it beside empty cells) and 007 are one person.

    So are two spellings that differ in blanks only, such as one that may not break the line.

    Raises:
        ValueError: If the text says that it is unknown; an empty one does so in one way only.
    """
    if text and text.lower() in EMPTY:
        raise ValueError
    return composed(re.sub(r"^0*(\d+)(\.0+)?$", r"\1", " ".join(text.split()))) or None


def parts_win(used: Mapping[str, str]) -> list[str]:
    """A note where a table has parts and folds; the columns by what they are.

    >>> parts_win({"part": "split", "fold": "fold"})
    ['column split divides the images, column fold does not; to use it, write part=-']
    """
    if not {"part", "fold"} <= used.keys():
        return []
    return [
        f"column {used['part']} divides the images, column {used['fold']} does not; to use it, "
        "write part=-"
    ]


def read_fold(text: str) -> int:
    """A fold.

    Raises:
        ValueError: If it is no whole number from 0 on.
    """
    if not re.fullmatch(r"[0-9]+(\.0+)?", text):
        raise ValueError
    return int(float(text))


def read_part(text: str) -> Part:
    """An official part.

    Raises:
        ValueError: If it is none of train, val and test.
    """
    part = PARTS.get(text.lower())
    if part is None:
        raise ValueError
    return part


def separator(path: Path, first: str) -> str:
    """What separates the cells of a CSV file, by its first line.

    Raises:
        DatasetError: If that line only tells Excel so.
    """
    if first.lower().startswith("sep="):
        raise DatasetError(
            f"{path} begins with {first.strip()!r}, which only Excel reads; delete that line"
        )
    return max(",;\t", key=first.count)


def not_utf8(path: Path) -> DatasetError:
    """What a user reads whose table is no text in UTF-8."""
    return DatasetError(
        f"{path} is not text in UTF-8 ({_encoding(path)}); save it as a CSV file in UTF-8"
    )


def _encoding(path: Path) -> str:
    """What a file is whose bytes are not UTF-8."""
    content = path.read_bytes()
    if content.startswith(b"PK"):
        return "it may be an Excel file"
    if content.startswith(b"\x1f\x8b"):
        return "it is compressed by gzip"
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "it is UTF-16"
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return f"line {content[: error.start].count(10) + 1}"
    return "it changed while it was read"
