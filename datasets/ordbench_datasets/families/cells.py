"""Columns of a user's own tables: what they are usually called, and what their cells say."""

from __future__ import annotations

import re

from ordbench.data.image_files import composed
from ordbench.dataset import Part
from ordbench_datasets.families.own_images import EMPTY, PARTS

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
    """Who is shown; pandas writes person 7 as 7.0 where some cells of a column are empty.

    Raises:
        ValueError: If the text says that it is unknown; an empty one does so in one way only.
    """
    if text and text.lower() in EMPTY:
        raise ValueError
    return composed(re.sub(r"^(\d+)\.0+$", r"\1", text)) or None


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
