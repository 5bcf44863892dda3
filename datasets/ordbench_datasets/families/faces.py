"""What the face-age datasets share: ages as ranks, and reading labels out of file names."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from ordbench.data.folders import image_folder
from ordbench.dataset import Dataset, Sample, SkippedFile, downloadable
from ordbench.errors import DatasetError
from ordbench.task import Task
from ordbench.utils.text import counted


class Face(NamedTuple):
    """What a file name says.

    Attributes:
        name: The official name of the image, whatever folder or spelling it has here.
        age: In years.
        group: The person, where persons are known.
        fold: Official fold, where there is one.
        extra: What else the name says of the person, by name.
    """

    name: str
    age: int
    group: str | None = None
    fold: int | None = None
    extra: Mapping[str, str] = {}


def age_task(ages: range) -> Task:
    """Ages in years as ranks, with OrdinalCLIP's context sentence.

    >>> age_task(range(16, 78)).num_ranks
    62
    """
    return Task(
        rank_names=tuple(str(age) for age in ages),
        rank_values=tuple(float(age) for age in ages),
        unit="years",
        context="age estimation: the age of the person is",
    )


def read_faces(
    folder: Path, parse: Callable[[str], Face | str], ages: range, *, depth: int = 1
) -> tuple[list[Sample], list[SkippedFile]]:
    """List the images below ``folder`` by their official names, and what is odd there.

    Args:
        folder: Searched to any depth; it may be a zip archive, or lie inside one.
        parse: From a file's name to what it says, or to the reason why it says nothing.
        ages: The ages that are ranks, each one rank.
        depth: How many of the last names of a path ``parse`` is given: 1 for the file's alone.
    """
    samples: dict[str, Sample] = {}
    shown_as: dict[str, str] = {}
    rejected: list[SkippedFile] = []
    found = image_folder(folder)
    for shown, image, problem in found.files() if found else ():
        face = problem or parse("/".join(shown.split("/")[-depth:]))
        if isinstance(face, str):
            rejected.append(SkippedFile(shown, face))
        elif face.age not in ages:
            reason = f"age {face.age} is not in {ages[0]}..{ages[-1]}"
            rejected.append(SkippedFile(shown, reason))
        elif face.name in samples:
            rejected.append(SkippedFile(shown, f"the same picture as {shown_as[face.name]}"))
        else:
            rank = ages.index(face.age)
            samples[face.name] = Sample(
                face.name, image, rank, face.group, face.fold, extra=face.extra
            )
            shown_as[face.name] = shown
    return [samples[name] for name in sorted(samples)], rejected


def not_found(dataset: Dataset, rejected: list[SkippedFile]) -> DatasetError:
    """The one line for a dataset of which nothing is there."""
    card = dataset.card
    if not dataset.root.is_dir():
        got = "there is no such folder"
    elif rejected:
        first = rejected[0]
        got = f"got {counted(len(rejected), 'other file')}, first {first.name!r} ({first.reason})"
    else:
        got = "it is empty"
    by_program = "add --download, or " if downloadable(type(dataset)) else ""
    return DatasetError(
        f"{card.title} not found in {dataset.root}: {got}; wanted {card.layout}; "
        f"{by_program}{card.how_to_get}; --dataset drawn-faces needs nothing"
    )
